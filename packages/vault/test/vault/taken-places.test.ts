import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose, openVault } from '../../src/index.ts';
import type { DiagnoseOptions, Finding } from '../../src/index.ts';
import { TestVault, all } from './test-vault.ts';

async function doctor(made: TestVault, options: Partial<DiagnoseOptions> = {}): Promise<Finding[]> {
  await made.vault.close();
  const { directory, secret } = made;
  const open: DiagnoseOptions['open'] = () => openVault({ directory, secret });
  const events = await all(diagnose({ directory, open, ...options }));
  return events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
}

async function checked(made: TestVault): Promise<Finding[]> {
  const events = await all(made.vault.check({ mode: 'quick' }));
  return events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
}

describe('a file in the place of quarantine/', () => {
  test('is found by check and doctor, who look at the rest as well', async () => {
    const made = await TestVault.create();
    const item = join(made.directory, 'quarantine');
    writeFileSync(item, 'not a folder');
    writeFileSync(join(made.directory, 'files', 'notes.txt'), 'x');
    const about = {
      code: 'PLACE_TAKEN',
      item,
      message: expect.stringContaining('not the folder') as string,
      mend: `mv ${item} .`,
    };
    expect(await checked(made)).toMatchObject([about, { code: 'NAME_UNKNOWN' }]);
    expect(await doctor(made, { fix: true })).toMatchObject([about, { code: 'NAME_UNKNOWN' }]);
    expect(readFileSync(item, 'utf8')).toBe('not a folder');
  });

  test('is named by what needs the folder', async () => {
    const made = await TestVault.create();
    const item = join(made.directory, 'quarantine');
    writeFileSync(item, 'not a folder');
    await expect(made.vault.quarantine()).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining(`${item} is not a folder`) as string,
      hint: expect.stringContaining('coffer check') as string,
    });
  });

  test('does not keep a vault closed that was not closed cleanly and has something to set aside', async () => {
    const made = await TestVault.create();
    const id = await made.put('a', new Uint8Array(200_000));
    await made.vault.close();
    const stranger = join(made.directory, 'files', `${'0'.repeat(31)}1.enc`);
    writeFileSync(stranger, readFileSync(join(made.directory, 'files', `${id}.enc`)));
    writeFileSync(join(made.directory, 'quarantine'), 'not a folder');
    // Recovery, as after a crash.
    expect(await doctor(made, { fix: true })).toMatchObject([
      { code: 'PLACE_TAKEN' },
      { code: 'FILE_UNREFERENCED' },
    ]);
    rmSync(join(made.directory, 'quarantine'));
    expect((await doctor(made, { fix: true })).map(({ code }) => code)).toEqual(['QUARANTINED']);
    expect(readdirSync(join(made.directory, 'quarantine'))).toHaveLength(1);
  });
});

test.each([
  [
    'a folder',
    (path: string): void => {
      mkdirSync(path);
    },
    ['is not the log', 'move it away'],
  ],
  [
    'a link',
    (path: string): void => {
      symlinkSync(`${path}.elsewhere`, path);
    },
    ['is a link', 'put what it leads to in its place'],
  ],
])(
  '%s in the place of the log keeps the vault closed, with what to do',
  async (_, put, [what = '', advice = '']) => {
    const made = await TestVault.create();
    await made.put('a.txt');
    await made.vault.close();
    const log = join(made.directory, 'data.db-wal');
    put(log);
    const refusal = {
      code: 'DAMAGED',
      message: expect.stringContaining(`${log} ${what}`) as string,
      hint: expect.stringContaining(advice) as string,
    };
    await expect(openVault({ directory: made.directory, secret: made.secret })).rejects.toMatchObject(
      refusal,
    );
    expect((await doctor(made)).map(({ code, item }) => [code, item])).toEqual([
      ['PLACE_TAKEN', log],
      ['NOT_OPENED', made.directory],
    ]);
    renameSync(log, made.path('moved'));
    await made.reopen();
    expect(made.paths()).toEqual(['a.txt']);
  },
);

test.each([
  'data.db.rekey',
  'data.db.replaced',
  'data.db.new',
  'vault.json.tmp',
  'restore.unfinished',
  'init.unfinished',
])(
  'a folder in the place of %s does not keep the vault closed, and stays with what is in it',
  async (name) => {
    const made = await TestVault.create();
    await made.put('a.txt');
    await made.vault.close();
    const item = join(made.directory, name);
    mkdirSync(item);
    writeFileSync(join(item, 'mine'), 'mine');
    await made.reopen();
    expect(made.paths()).toEqual(['a.txt']);
    expect(await doctor(made, { fix: true })).toMatchObject([{ code: 'PLACE_TAKEN', item }]);
    expect(readFileSync(join(item, 'mine'), 'utf8')).toBe('mine');
  },
);

test.each(['backup.commit', 'importing', 'backup.next'])(
  'a file in the place of %s/ is found, with the command that mends it',
  async (name) => {
    const made = await TestVault.create();
    await made.vault.close();
    const item = join(made.directory, name);
    writeFileSync(item, 'x');
    const [finding, ...others] = await doctor(made);
    expect(finding).toMatchObject({ code: 'PLACE_TAKEN', item, mend: `mv ${item} .` });
    // A backup that may have to be finished comes before everything.
    expect(others).toMatchObject(
      name === 'backup.commit' ? [{ code: 'NOT_OPENED', remedy: 'move away what is there' }] : [],
    );
  },
);

test.each(['vault.json', 'vault.json.bak'])(
  'a folder in the place of %s is moved away before the copy is written again, and nothing claims to fix it',
  async (name) => {
    const made = await TestVault.create();
    await made.vault.close();
    const item = join(made.directory, name);
    rmSync(item);
    mkdirSync(item);
    expect(await doctor(made, { fix: true })).toMatchObject([
      { code: 'VAULT_FILE_COPY', item, isFixable: false, mend: `mv ${item} . && coffer doctor --fix` },
    ]);
    renameSync(item, made.path('moved'));
    expect(await doctor(made, { fix: true })).toEqual([]);
    expect(readFileSync(item).length).toBeGreaterThan(0);
  },
);
