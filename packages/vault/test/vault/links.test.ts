import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { createVault, diagnose, openVault, readVaultSlots, restoreVault } from '../../src/index.ts';
import type { Finding } from '../../src/index.ts';
import { onPosix } from '../support.ts';
import { TestVault, all } from './test-vault.ts';

async function doctor({ directory, secret }: TestVault): Promise<Finding[]> {
  const events = await all(diagnose({ directory, open: () => openVault({ directory, secret }) }));
  return events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
}

/** Moves a part of a closed vault out of its folder, and leaves a link to it. */
async function linkAway(made: TestVault, name: string): Promise<string> {
  await made.put('large.bin', new Uint8Array(200_000));
  await made.put('small.txt');
  await made.vault.close();
  const item = join(made.directory, name);
  mkdirSync(made.path('elsewhere'), { mode: 0o700 });
  const target = made.path('elsewhere', name);
  if (existsSync(item)) renameSync(item, target);
  else mkdirSync(target, { mode: 0o700 });
  symlinkSync(target, item);
  return item;
}

describe('a link in the folder of a vault keeps it closed, is named, and is put right by the command of its finding:', () => {
  onPosix.each(['vault.json', 'vault.json.bak', 'data.db', 'data.db.reserve', 'files', 'quarantine'])(
    '%s',
    async (name) => {
      const made = await TestVault.create();
      const item = await linkAway(made, name);
      const { directory, secret } = made;
      const refusal = {
        code: 'DAMAGED',
        message: expect.stringContaining(`${item} is a link (to ${made.path('elsewhere', name)})`) as string,
        hint: expect.stringContaining('coffer doctor') as string,
      };
      await expect(openVault({ directory, secret })).rejects.toMatchObject(refusal);
      await expect(readVaultSlots(directory)).rejects.toMatchObject(refusal);
      const found = await doctor(made);
      expect(found).toMatchObject([{ code: 'LINKED', item }]);
      execFileSync('sh', ['-c', found[0]?.mend ?? '']);
      expect(lstatSync(item).isSymbolicLink()).toBe(false);
      expect(existsSync(made.path('elsewhere', name))).toBe(true);
      expect(await doctor(made)).toEqual([]);
      await made.reopen();
      expect(await made.text('small.txt')).toBe('small.txt');
      expect(await made.text('large.bin')).toHaveLength(200_000);
    },
  );

  onPosix.each([
    ['nothing is in its place', () => undefined],
    [
      'a link to it is in its place',
      (log: string, target: string) => {
        symlinkSync(target, log);
      },
    ],
    [
      'an older one is in its place',
      (log: string) => {
        writeFileSync(log, 'x'.repeat(5000));
      },
    ],
  ] as const)(
    'data.db, with the log that an older version had beside the target, when %s',
    async (_, place) => {
      const made = await TestVault.create();
      await made.put('before.txt');
      await made.vault.close();
      // A second name on the way to it: the log is where the last one leads.
      const target = made.path("else where's", 'the database');
      const item = join(made.directory, 'data.db');
      mkdirSync(made.path("else where's"), { mode: 0o700 });
      await made.reopen();
      await made.put('committed.txt');
      // As a crash leaves it: what was written last is in the log alone.
      for (const end of ['', '-wal']) copyFileSync(`${item}${end}`, `${target}${end}`);
      await made.vault.close();
      rmSync(item);
      symlinkSync(target, made.path('way'));
      symlinkSync(made.path('way'), item);
      rmSync(`${item}-wal`, { force: true });
      place(`${item}-wal`, `${target}-wal`);
      const finding = (await doctor(made)).find((each) => each.item === item);
      expect(finding).toMatchObject({ code: 'LINKED', item });
      execFileSync('sh', ['-c', finding?.mend ?? '']);
      expect(lstatSync(item).isFile()).toBe(true);
      expect(lstatSync(`${item}-wal`).isFile()).toBe(true);
      expect(existsSync(`${target}-wal`)).toBe(true);
      await made.reopen();
      expect(made.paths()).toEqual(['before.txt', 'committed.txt']);
      expect(await made.text('committed.txt')).toBe('committed.txt');
    },
  );

  onPosix('owner.lock, of which there is nothing to copy', async () => {
    const made = await TestVault.create();
    const item = await linkAway(made, 'owner.lock');
    const { directory, secret } = made;
    await expect(openVault({ directory, secret })).rejects.toMatchObject({ code: 'DAMAGED' });
    const found = await doctor(made);
    expect(found).toMatchObject([{ code: 'LOCK_REPLACED', item }]);
    execFileSync('sh', ['-c', found[0]?.mend ?? ''], { cwd: made.root });
    await made.reopen();
    expect(made.paths()).toEqual(['large.bin', 'small.txt']);
  });
});

onPosix('a link that leads nowhere is moved away, as whatever else is in the place of a file', async () => {
  const made = await TestVault.create();
  const item = await linkAway(made, 'vault.json');
  rmSync(made.path('elsewhere'), { recursive: true });
  const found = await doctor(made);
  expect(found).toMatchObject([{ code: 'PLACE_TAKEN', item }, { code: 'NOT_OPENED' }]);
  execFileSync('sh', ['-c', found[0]?.mend ?? ''], { cwd: made.root });
  // Opening has written the copy again that was missing.
  expect(await doctor(made)).toEqual([]);
  expect(lstatSync(item).isFile()).toBe(true);
});

onPosix('several links are all found at once', async () => {
  const made = await TestVault.create();
  await linkAway(made, 'files');
  const log = join(made.directory, 'data.db-wal');
  symlinkSync(made.path('nothing'), log);
  expect((await doctor(made)).map(({ code, item }) => [code, item])).toEqual(
    expect.arrayContaining([
      ['LINKED', join(made.directory, 'files')],
      ['PLACE_TAKEN', log],
    ]),
  );
});

onPosix('the folder of a vault may itself be a link, and so may what Coffer has no use for', async () => {
  const made = await TestVault.create();
  await made.put('a.txt');
  await made.vault.close();
  const directory = made.path('link');
  symlinkSync(made.directory, directory);
  symlinkSync(made.path('nothing'), join(made.directory, '.hidden'));
  await using vault = await openVault({ directory, secret: made.secret });
  expect(vault.status()).toMatchObject({ files: 1 });
});

onPosix('a backup with a link in it is neither restored nor brought up to date', async () => {
  const made = await TestVault.create();
  await made.put('large.bin', new Uint8Array(200_000));
  const backup = made.path('backup');
  await all(made.vault.backup(backup));
  renameSync(join(backup, 'files'), made.path('moved'));
  symlinkSync(made.path('moved'), join(backup, 'files'));
  const before = readdirSync(made.path('moved'));
  const refusal = { code: 'DAMAGED', message: expect.stringContaining('is a link') as string };
  await expect(all(made.vault.backup(backup))).rejects.toMatchObject(refusal);
  const directory = made.path('restored');
  await expect(all(restoreVault({ source: backup, directory, secret: made.secret }))).rejects.toMatchObject(
    refusal,
  );
  expect(readdirSync(made.path('moved'))).toEqual(before);
});

onPosix('no vault is made in a folder with a link in it', async () => {
  const made = await TestVault.create();
  mkdirSync(made.path('new'), { mode: 0o700 });
  symlinkSync(made.path('key'), made.path('new', 'owner.lock'));
  const making = createVault({ directory: made.path('new'), secret: made.secret });
  await expect(making).rejects.toMatchObject({ name: 'VaultError' });
  expect(readdirSync(made.path('new'))).toEqual(['owner.lock']);
});
