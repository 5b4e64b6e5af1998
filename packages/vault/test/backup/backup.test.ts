import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createVault, diagnose, openVault, readVaultSlots } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { CHEAP, passphrase } from '../support.ts';
import { TestVault, all } from '../vault/test-vault.ts';
import { openBackup, summaryOf } from './support.ts';

const LARGE = new Uint8Array(150_000).fill(7);

describe('a backup', () => {
  test('is a folder that the same secrets open, with everything, for its owner only', async () => {
    const made = await TestVault.create();
    await made.put('small.txt');
    await made.put('a/large', LARGE);
    made.vault.tag('small.txt', { add: ['red'] });
    await made.vault.addSlot(passphrase('correct horse'), { argon2id: CHEAP });
    const directory = made.path('backup');
    const summary = summaryOf(await all(made.vault.backup(directory)));
    expect(summary).toMatchObject({
      destination: directory,
      dryRun: false,
      files: 2,
      sizeBytes: 150_009,
      failed: 0,
    });
    expect(summary.copied).toEqual({ files: 1, bytes: 150_000 });
    expect(readdirSync(directory).sort()).toEqual([
      'backup.json',
      'data.db',
      'data.db.reserve',
      'files',
      'owner.lock',
      'vault.json',
      'vault.json.bak',
    ]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of ['backup.json', 'data.db', 'vault.json', 'vault.json.bak'])
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    for (const secret of [made.secret, passphrase('correct horse')]) {
      await using backup = await openVault({ directory, secret });
      expect(backup.vaultId).toBe(made.vault.vaultId);
      expect(backup.warnings).toEqual([]);
      expect(backup.list().files.map(({ path, tags }) => [path, ...tags])).toEqual([
        ['small.txt', 'red'],
        ['a/large'],
      ]);
      expect(await all(backup.check())).toMatchObject([{ type: 'summary', findings: 0, filesRead: 2 }]);
      expect(backup.status().backupMadeAtMs).toBeGreaterThan(0);
    }
    expect(made.vault.status().backupMadeAtMs).toBeUndefined();
  });

  test('is never changed by those who open it', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    await using backup = await openVault({ directory, secret: made.secret });
    const refused = expect.objectContaining({
      code: 'NOT_PERMITTED',
      message: expect.stringContaining('is a backup') as string,
    }) as Error;
    const changes: ((vault: Vault) => unknown)[] = [
      (vault) => vault.move('a.txt', 'b.txt'),
      (vault) => vault.tag('a.txt', { add: ['x'] }),
      (vault) => all(vault.removePaths(['a.txt'])),
      (vault) => all(vault.addPaths([made.source('new')])),
      (vault) => all(vault.importFolder(made.path('source'))),
      (vault) => vault.addStream(largeStream(), { name: 'new' }),
      (vault) => vault.addSlot(passphrase('x')),
      (vault) => vault.removeSlot(vault.slots()[0]?.id ?? ''),
      (vault) => vault.replaceRecoveryCode(new Uint8Array(30)),
      (vault) => all(vault.backup(made.path('another'))),
    ];
    for (const change of changes) {
      const changing = new Promise((resolve) => {
        resolve(change(backup));
      });
      await expect(changing).rejects.toThrow(refused);
    }
    expect(backup.list().files.map(({ path }) => path)).toEqual(['a.txt']);
  });

  test('can be asked for what changes nothing: its tags, and what adding, importing and removing would do', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    made.vault.tag('a.txt', { add: ['x'] });
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    await using backup = await openVault({ directory, secret: made.secret });
    const dryRun = { dryRun: true };
    expect(backup.tag('a.txt', {})).toMatchObject([{ path: 'a.txt', tags: ['x'] }]);
    expect(await all(backup.removePaths(['a.txt'], dryRun))).toMatchObject([{ type: 'planned' }]);
    const planned = { type: 'planned', path: 'new' };
    expect(await all(backup.addPaths([made.source('new')], dryRun))).toMatchObject([planned]);
    expect(await all(backup.importFolder(made.path('source'), dryRun))).toMatchObject([planned]);
    expect(backup.list().files.map(({ path }) => path)).toEqual(['a.txt']);
  });

  test('goes through a link to a folder, and into a folder that is there and empty', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    mkdirSync(made.path('disk', 'lost+found'), { recursive: true });
    symlinkSync(made.path('disk'), made.path('link'));
    await all(made.vault.backup(made.path('link')));
    expect(summaryOf(await all(made.vault.backup(made.path('disk')))).unchanged.files).toBe(1);
    await openBackup(made, made.path('disk'), (backup) => {
      expect(backup.status().files).toBe(1);
    });
  });

  test('brings headers, key slots and names up to date', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    made.vault.move('large', 'renamed');
    const slot = await made.vault.addSlot(passphrase('second'), { argon2id: CHEAP });
    expect(summaryOf(await all(made.vault.backup(directory)))).toMatchObject({
      copied: { files: 0 },
      unchanged: { files: 1 },
    });
    expect((await readVaultSlots(directory)).slots.map(({ id }) => id)).toContain(slot.id);
    await openBackup(made, directory, (backup) => {
      expect(backup.list().files.map(({ path }) => path)).toEqual(['renamed']);
    });
  });

  test('says what it would do with --dry-run, and makes nothing', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    const events = await all(made.vault.backup(made.path('backup'), { dryRun: true }));
    expect(events.map(({ type }) => type)).toEqual(['copied', 'summary']);
    expect(summaryOf(events)).toMatchObject({ dryRun: true, files: 1 });
    expect(readdirSync(made.root)).not.toContain('backup');
  });

  test('reports how far it is', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    const reports: number[] = [];
    await all(
      made.vault.backup(made.path('backup'), { onProgress: ({ bytesDone }) => reports.push(bytesDone) }),
    );
    expect(reports.at(-1)).toBe(150_000);
  });

  test('that is cancelled leaves the one before, and goes on the next time', async () => {
    const made = await TestVault.create();
    await made.put('a', LARGE);
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    await made.put('b', LARGE);
    await made.put('c', LARGE);
    const aborter = new AbortController();
    const cancelled = (async () => {
      for await (const event of made.vault.backup(directory, { signal: aborter.signal }))
        if (event.type === 'copied') aborter.abort();
    })();
    await expect(cancelled).rejects.toMatchObject({ code: 'ABORTED' });
    await openBackup(made, directory, async (backup) => {
      expect(backup.list().files.map(({ path }) => path)).toEqual(['a']);
      expect(await all(backup.check())).toMatchObject([{ findings: 0 }]);
    });
    expect(summaryOf(await all(made.vault.backup(directory)))).toMatchObject({ copied: { files: 2 } });
  });
});

describe('a folder is refused', () => {
  async function refusal(made: TestVault, path: string): Promise<unknown> {
    const before = readdirSync(made.root, { recursive: true });
    const error = await all(made.vault.backup(path)).catch((each: unknown) => each);
    await expect(all(made.vault.backup(path, { dryRun: true }))).rejects.toMatchObject({
      message: (error as Error).message,
    });
    expect(readdirSync(made.root, { recursive: true })).toEqual(before);
    return error;
  }

  test('that is the vault, in it, or has it in it', async () => {
    const made = await TestVault.create();
    symlinkSync(made.directory, made.path('link'));
    const inside = [
      made.directory,
      join(made.directory, 'files'),
      join(made.directory, 'new'),
      made.path('link', 'new'),
      made.root,
    ];
    for (const path of inside) expect(await refusal(made, path)).toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('that is a vault, has other files, or is none', async () => {
    const made = await TestVault.create();
    const other = made.path('other');
    await (await createVault({ directory: other, secret: made.secret })).close();
    expect(await refusal(made, other)).toMatchObject({
      code: 'EXISTS',
      message: expect.stringContaining('not a backup') as string,
    });
    mkdirSync(made.path('papers'));
    writeFileSync(made.path('papers', 'thesis.odt'), 'x');
    expect(await refusal(made, made.path('papers'))).toMatchObject({ code: 'EXISTS' });
    expect(await refusal(made, made.path('papers', 'thesis.odt'))).toMatchObject({ code: 'EXISTS' });
  });

  test('that has backups of another vault', async () => {
    const [made, other] = [await TestVault.create(), await TestVault.create()];
    await all(other.vault.backup(made.path('backup')));
    expect(await refusal(made, made.path('backup'))).toMatchObject({ code: 'EXISTS' });
  });

  test('that somebody has open', async () => {
    const made = await TestVault.create();
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    await openBackup(made, directory, async () => {
      await expect(all(made.vault.backup(directory))).rejects.toMatchObject({ code: 'IN_USE' });
    });
  });

  test('that has a backup of a later state than this one, and not any more once that is restored', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    await made.vault.close();
    const early = readFileSync(join(made.directory, 'data.db'));
    await made.reopen();
    await made.put('b.txt');
    await all(made.vault.backup(directory));
    await made.vault.close();
    writeFileSync(join(made.directory, 'data.db'), early);
    await made.reopen();
    await made.put('c.txt');
    await expect(all(made.vault.backup(directory))).rejects.toMatchObject({
      code: 'EXISTS',
      message: expect.stringContaining('another state') as string,
    });
    await openBackup(made, directory, (backup) => {
      expect(backup.list().files.map(({ path }) => path)).toEqual(['a.txt', 'b.txt']);
    });
    await all(made.vault.backup(made.path('another')));
  });
});

describe('what an interrupted backup leaves', () => {
  test('is, the first time, no vault yet, and says so', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    const directory = made.path('backup');
    const aborter = new AbortController();
    const events = made.vault.backup(directory, { signal: aborter.signal });
    await events.next();
    aborter.abort();
    await expect(all(events)).rejects.toMatchObject({ code: 'ABORTED' });
    const refused = { code: 'NO_VAULT', message: expect.stringContaining('interrupted') as string };
    await expect(openVault({ directory, secret: made.secret })).rejects.toMatchObject(refused);
    await expect(readVaultSlots(directory)).rejects.toMatchObject(refused);
    await expect(createVault({ directory, secret: made.secret })).rejects.toMatchObject({ code: 'EXISTS' });
    await all(made.vault.backup(directory));
    await openBackup(made, directory, (backup) => {
      expect(backup.status().files).toBe(1);
    });
  });

  test('after its moment is finished by whoever opens the folder', async () => {
    const made = await TestVault.create();
    await made.put('large', LARGE);
    const directory = made.path('backup');
    await all(made.vault.backup(directory));
    // As if nothing had been moved to its place yet.
    const commit = join(directory, 'backup.commit');
    mkdirSync(commit);
    for (const name of ['data.db', 'data.db.reserve', 'files', 'vault.json', 'backup.json'])
      renameSync(join(directory, name), join(commit, name));
    rmSync(join(directory, 'vault.json.bak'));
    writeFileSync(join(directory, 'backup.json'), readFileSync(join(commit, 'backup.json')));
    expect((await readVaultSlots(directory)).slots).toHaveLength(1);
    await openBackup(made, directory, async (backup) => {
      expect(backup.warnings).toEqual([]);
      expect(await all(backup.check())).toMatchObject([{ findings: 0, files: 1 }]);
    });
    expect(readdirSync(directory)).not.toContain('backup.commit');
  });
});

test('looking into a backup leaves it as it is, and misses nothing in it', async () => {
  const made = await TestVault.create();
  await made.put('small.txt');
  const directory = made.path('backup');
  await all(made.vault.backup(directory));
  const before = readdirSync(directory);
  const open = (): Promise<Vault> => openVault({ directory, secret: made.secret });
  for (const opened of [open, () => Promise.resolve(undefined)])
    expect(await all(diagnose({ directory, open: opened }))).toMatchObject([
      { type: 'summary', findings: 0, fixed: 0 },
    ]);
  await openBackup(made, directory, async (backup) => {
    expect(await all(backup.check())).toMatchObject([{ findings: 0, files: 1 }]);
    expect(statSync(join(directory, 'data.db.reserve')).size).toBe(16);
  });
  // The lock is made by whoever opens.
  expect(readdirSync(directory).filter((name) => name !== 'owner.lock')).toEqual(
    before.filter((name) => name !== 'owner.lock'),
  );
});

async function* largeStream(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(LARGE);
}

test('a backup of which the folder has a wrong backup.json is refused by name', async () => {
  const made = await TestVault.create();
  const directory = made.path('backup');
  await all(made.vault.backup(directory));
  const path = join(directory, 'backup.json');
  const marker = JSON.parse(readFileSync(path, 'utf8')) as object;
  const bad: readonly [string, string][] = [
    ['{', 'DAMAGED'],
    [JSON.stringify({ ...marker, extra: 1 }), 'DAMAGED'],
    [JSON.stringify({ ...marker, formatVersion: 2 }), 'TOO_NEW'],
    ['x'.repeat(10_000), 'DAMAGED'],
  ];
  for (const [text, code] of bad) {
    writeFileSync(path, text);
    await expect(all(made.vault.backup(directory))).rejects.toMatchObject({ code });
    await expect(openVault({ directory, secret: made.secret })).rejects.toMatchObject({ code });
  }
});
