import { openDatabase } from '@coffer/database';
import { chmodSync, copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose, openVault } from '../../src/index.ts';
import type { DiagnoseEvent, DiagnoseOptions } from '../../src/index.ts';
import { stealRootKey } from './rotation.ts';
import { TestVault, all } from './test-vault.ts';

const NOBODY = (): Promise<undefined> => Promise.resolve(undefined);

async function examine(made: TestVault, options: Partial<DiagnoseOptions> = {}): Promise<DiagnoseEvent[]> {
  await made.vault.close();
  return all(diagnose({ directory: made.directory, open: NOBODY, ...options }));
}

function codes(events: readonly DiagnoseEvent[]): string[] {
  return events.map((event) =>
    event.type === 'summary' ? 'summary' : `${event.type} ${event.finding.code}`,
  );
}

test('fixing gives back what the database does not use', async () => {
  const made = await TestVault.create();
  using root = await stealRootKey(made.directory, made.secret);
  using databaseKey = root.derive('coffer/database/v1');
  for (let number = 0; number < 30; number += 1)
    await made.put(`all/${String(number)}`, new Uint8Array(60_000).fill(number));
  let copies = 0;
  // Of a copy as it is, so that closing the vault has no part in it.
  const unusedPages = (): number => {
    const path = made.path(`copy-${String(copies++)}.db`);
    for (const suffix of ['', '-wal'])
      copyFileSync(join(made.directory, `data.db${suffix}`), `${path}${suffix}`);
    using database = openDatabase({ path, key: databaseKey.exportBytes() });
    return database.reclaimSpace(10_000);
  };
  await all(made.vault.removePaths(['all'], { recursive: true }));
  expect(unusedPages()).toBeGreaterThan(300);
  expect(await all(made.vault.doctor({ fix: true }))).toEqual([]);
  expect(unusedPages()).toBe(0);
});

describe('a diagnosis', () => {
  test('of a healthy vault says that nothing is wrong, and changes nothing', async () => {
    const made = await TestVault.create();
    await made.put('a', new Uint8Array(200_000));
    await made.vault.close();
    const before = statSync(join(made.directory, 'data.db')).mtimeMs;
    expect(await examine(made)).toEqual([{ type: 'summary', findings: 0, fixed: 0, isOpened: false }]);
    expect(statSync(join(made.directory, 'data.db')).mtimeMs).toBe(before);
    const open = (): Promise<Awaited<ReturnType<typeof openVault>>> =>
      openVault({ directory: made.directory, secret: made.secret });
    expect(await examine(made, { open })).toEqual([
      { type: 'summary', findings: 0, fixed: 0, isOpened: true },
    ]);
  });

  test('says when Node.js is too old, and does not try to open the vault with it', async () => {
    const made = await TestVault.create();
    const open = (): never => {
      throw new Error('it was opened');
    };
    const events = await examine(made, { open, machine: { nodeVersion: '22.1.0' } });
    expect(codes(events)).toEqual(['finding RUNTIME_UNSUPPORTED', 'summary']);
  });

  test('says when the clock is behind what has happened', async () => {
    const made = await TestVault.create();
    expect(codes(await examine(made, { machine: { nowMs: Date.now() - 86_400_000 * 3 } }))).toEqual([
      'finding CLOCK_WRONG',
      'summary',
    ]);
  });

  test('in this process, while the vault is open, does not let another process in', async () => {
    const made = await TestVault.create();
    writeFileSync(join(made.directory, 'vault.json.tmp'), 'may be written just now');
    const events = await all(diagnose({ directory: made.directory, open: NOBODY, fix: true }));
    // Neither the log nor what the owner may be writing is anybody else's business.
    expect(codes(events)).toEqual(['summary']);
    expect(existsSync(join(made.directory, 'vault.json.tmp'))).toBe(true);
    await made.put('still.txt');
    expect(made.paths()).toEqual(['still.txt']);
  });

  test('fixes without a key what needs none, and says so', async () => {
    const made = await TestVault.create();
    await made.vault.close();
    const at = (name: string): string => join(made.directory, name);
    const slots = readFileSync(at('vault.json'));
    writeFileSync(at('vault.json'), 'damaged');
    chmodSync(at('vault.json.bak'), 0o644);
    writeFileSync(at('data.db.new'), 'left over');
    const planned = await examine(made, { fix: true, dryRun: true });
    expect(codes(planned).toSorted()).toEqual(
      ['planned LOOSE_MODE', 'planned VAULT_FILE_COPY', 'planned WRITE_LEFT_OVER', 'summary'].toSorted(),
    );
    expect(readFileSync(at('vault.json'), 'utf8')).toBe('damaged');
    const fixed = await examine(made, { fix: true });
    expect(codes(fixed).toSorted()).toEqual(
      ['fixed LOOSE_MODE', 'fixed VAULT_FILE_COPY', 'fixed WRITE_LEFT_OVER', 'summary'].toSorted(),
    );
    expect(readFileSync(at('vault.json')).equals(slots)).toBe(true);
    expect([existsSync(at('data.db.new')), statSync(at('vault.json.bak')).mode & 0o777]).toEqual([
      false,
      0o600,
    ]);
    await made.reopen();
    expect(made.vault.warnings).toEqual([]);
  });

  test('never touches what it does not know', async () => {
    const made = await TestVault.create();
    await made.vault.close();
    const mine = join(made.directory, 'files', 'thesis.odt');
    writeFileSync(mine, 'mine');
    writeFileSync(join(made.directory, 'notes.txt'), 'mine too');
    const open = (): Promise<Awaited<ReturnType<typeof openVault>>> =>
      openVault({ directory: made.directory, secret: made.secret });
    const events = await examine(made, { open, fix: true });
    expect(codes(events)).toEqual(['finding FOREIGN_FILE', 'finding NAME_UNKNOWN', 'summary']);
    expect([readFileSync(mine, 'utf8'), readFileSync(join(made.directory, 'notes.txt'), 'utf8')]).toEqual([
      'mine',
      'mine too',
    ]);
  });

  test('of nothing says that there is no vault', async () => {
    const made = await TestVault.create();
    const nowhere = made.path('nowhere');
    const events = all(diagnose({ directory: nowhere, open: NOBODY }));
    await expect(events).rejects.toMatchObject({ code: 'NO_VAULT' });
    rmSync(nowhere, { recursive: true, force: true });
  });
});

describe('a finding', () => {
  test('of a damaged file keeps when it was first noticed, until the file is whole again', async () => {
    const made = await TestVault.create();
    const id = await made.put('a', new Uint8Array(200_000));
    const path = join(made.directory, 'files', `${id}.enc`);
    const bytes = readFileSync(path);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 20_000), Buffer.alloc(bytes.length - 20_000)]));
    const since = async (): Promise<unknown[]> => {
      const events = await all(made.vault.check());
      return events.flatMap((event) => (event.type === 'finding' ? [event.finding.sinceMs] : []));
    };
    const [first] = await since();
    expect(first).toBeGreaterThan(Date.now() - 60_000);
    await made.reopen();
    expect(await since()).toEqual([first]);
    writeFileSync(path, bytes);
    expect(await since()).toEqual([]);
    rmSync(path);
    const [again] = await since();
    expect(Number(again)).toBeGreaterThanOrEqual(Number(first));
    await all(made.vault.removePaths(['a']));
    expect(await since()).toEqual([]);
  });

  test('quotes names as a shell takes them', async () => {
    const made = await TestVault.create();
    const id = await made.put("it's $HOME/`x`; rm -rf.bin", new Uint8Array(200_000));
    rmSync(join(made.directory, 'files', `${id}.enc`));
    const [event] = await all(made.vault.check({ mode: 'quick' }));
    expect(event?.type === 'finding' && event.finding.mend).toContain(
      "--name '`x`; rm -rf.bin' --folder 'it'\\''s $HOME'",
    );
  });
});
