import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openVault, restoreVault } from '../../src/index.ts';
import type { BackupOptions, BackupSummary, Vault } from '../../src/index.ts';
import { canMount } from '../vault/small-disk.ts';
import { keeping, rotate } from '../vault/rotation.ts';
import { TestVault, all } from '../vault/test-vault.ts';
import { openBackup, summaryOf } from './support.ts';

const LARGE = randomBytes(300_000);

/** Backs up what the vault is now, from a disk that is read-only. */
async function backUpReadOnly(
  made: TestVault,
  destination: string,
  options: BackupOptions = {},
): Promise<BackupSummary> {
  await made.vault.close();
  const disk = mkdtempSync(made.path('disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m,mode=755', 'tmpfs', disk]);
  try {
    const directory = join(disk, 'vault');
    execFileSync('cp', ['-a', made.directory, directory]);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await using vault = await openVault({ directory, secret: made.secret });
    expect(vault.status().readOnly).toBe('disk');
    return summaryOf(await all(vault.backup(destination, options)));
  } finally {
    execFileSync('umount', ['-l', disk]);
    await made.reopen();
  }
}

async function pathsIn(made: TestVault, directory: string): Promise<readonly string[]> {
  let paths: readonly string[] = [];
  await openBackup(made, directory, async (backup) => {
    expect(await all(backup.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
    paths = backup.list({ recursive: true, folder: '' }).files.map(({ path }) => path);
  });
  return paths.toSorted();
}

async function remove(vault: Vault, ...items: readonly string[]): Promise<void> {
  const events = await all(vault.removePaths(items));
  expect(events.filter(({ type }) => type === 'failed')).toEqual([]);
}

/** Names, sizes and times of everything in a folder. */
function stateOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return [name, size, mtimeMs].join(' ');
  });
}

const LATER = { code: 'EXISTS', message: expect.stringContaining('a later or another state') as string };

function missing(path: string): object {
  const message = expect.stringContaining(`never had: ${path}, which was added last`) as string;
  return { code: 'EXISTS', message, hint: expect.stringContaining('to another folder') as string };
}

async function withFiles(): Promise<{ readonly made: TestVault; readonly backup: string }> {
  const made = await TestVault.create();
  await made.put('a.txt');
  await made.put('large.bin', LARGE);
  return { made, backup: made.path('backup') };
}

describe.skipIf(!canMount)('a backup made from a read-only disk (needs root for a tmpfs)', () => {
  test('is brought up to date from the same state, as often as somebody likes', async () => {
    const { made, backup } = await withFiles();
    await backUpReadOnly(made, backup);
    const before = stateOf(backup);
    const unchanged = { files: 2, copied: { files: 0 }, unchanged: { files: 1 } };
    expect(await backUpReadOnly(made, backup, { dryRun: true })).toMatchObject(unchanged);
    expect(stateOf(backup)).toEqual(before);
    for (let run = 0; run < 2; run++) expect(await backUpReadOnly(made, backup)).toMatchObject(unchanged);
    expect(await pathsIn(made, backup)).toEqual(['a.txt', 'large.bin']);
  });

  test('is brought up to date from a later state, also one in which files of it were removed', async () => {
    const { made, backup } = await withFiles();
    await made.put('newest.txt');
    await backUpReadOnly(made, backup);
    await remove(made.vault, 'a.txt', 'large.bin');
    await made.put('b.bin', LARGE);
    expect(await backUpReadOnly(made, backup)).toMatchObject({ copied: { files: 1 }, removed: { files: 1 } });
    expect(await pathsIn(made, backup)).toEqual(['b.bin', 'newest.txt']);
    await remove(made.vault, 'newest.txt');
    await backUpReadOnly(made, backup);
    expect(await pathsIn(made, backup)).toEqual(['b.bin']);
  });

  test('is not brought up to date when the file that was added last is not there, and says which', async () => {
    const { made, backup } = await withFiles();
    await backUpReadOnly(made, backup);
    await remove(made.vault, 'large.bin');
    await expect(backUpReadOnly(made, backup)).rejects.toMatchObject(missing('large.bin'));
    await backUpReadOnly(made, made.path('another'));
  });

  test('of an empty vault has nothing that could be lost', async () => {
    const made = await TestVault.create();
    const backup = made.path('backup');
    await backUpReadOnly(made, backup);
    await made.put('a.txt');
    await backUpReadOnly(made, backup);
    expect(await pathsIn(made, backup)).toEqual(['a.txt']);
  });

  test('is gone on with by the vault itself, which knows it from then on, and by one that is restored from it', async () => {
    const { made, backup } = await withFiles();
    await backUpReadOnly(made, backup);
    await made.put('b.txt');
    await all(made.vault.backup(backup));
    await remove(made.vault, 'b.txt');
    await all(made.vault.backup(backup));
    expect(await pathsIn(made, backup)).toEqual(['a.txt', 'large.bin']);
    await backUpReadOnly(made, backup);
    const directory = made.path('restored');
    await all(restoreVault({ source: backup, directory, secret: made.secret }));
    await using restored = await openVault({ directory, secret: made.secret });
    expect(summaryOf(await all(restored.backup(backup)))).toMatchObject({ files: 2, failed: 0 });
  });

  const changes: readonly (readonly [string, (made: TestVault) => unknown])[] = [
    ['with one file more', (made) => made.put('b.txt')],
    ['with one file less', (made) => remove(made.vault, 'large.bin')],
    ['with another name', (made) => made.vault.move('a.txt', 'b.txt')],
    ['with a tag', (made) => made.vault.tag('a.txt', { add: ['red'] })],
  ];
  test.each(changes)('is not replaced by an earlier state: %s', async (_what, change) => {
    const { made, backup } = await withFiles();
    await made.vault.close();
    const early = readFileSync(join(made.directory, 'data.db'));
    await made.reopen();
    await change(made);
    const destination = made.path('later');
    await backUpReadOnly(made, destination);
    const later = await pathsIn(made, destination);
    await made.vault.close();
    writeFileSync(join(made.directory, 'data.db'), early);
    await made.reopen();
    await expect(backUpReadOnly(made, destination)).rejects.toMatchObject(LATER);
    await expect(backUpReadOnly(made, destination, { dryRun: true })).rejects.toMatchObject(LATER);
    await expect(all(made.vault.backup(destination))).rejects.toMatchObject(LATER);
    expect(await pathsIn(made, destination)).toEqual(later);
    await backUpReadOnly(made, backup);
  });

  test('is not replaced by an older copy of the vault that was put back, however much was done with that since', async () => {
    const { made, backup } = await withFiles();
    await made.vault.close();
    const early = readFileSync(join(made.directory, 'data.db'));
    await made.reopen();
    await made.put('b.txt');
    await backUpReadOnly(made, backup);
    await made.vault.close();
    writeFileSync(join(made.directory, 'data.db'), early);
    await made.reopen();
    for (const path of ['c.txt', 'd.txt', 'e.txt', 'f.txt']) await made.put(path);
    await remove(made.vault, 'c.txt');
    await expect(backUpReadOnly(made, backup)).rejects.toMatchObject(missing('b.txt'));
    await expect(all(made.vault.backup(backup))).rejects.toMatchObject(missing('b.txt'));
    expect(await pathsIn(made, backup)).toEqual(['a.txt', 'b.txt', 'large.bin']);
  });

  test('is not replaced where its last file came back from the quarantine alone', async () => {
    const { made, backup } = await withFiles();
    await made.vault.close();
    const early = readFileSync(join(made.directory, 'data.db'));
    await made.reopen();
    await made.put('b.txt');
    const last = await made.put('last.bin', LARGE);
    await backUpReadOnly(made, backup);
    await made.vault.close();
    writeFileSync(join(made.directory, 'data.db'), early);
    // As recovery does with what no row names.
    mkdirSync(join(made.directory, 'quarantine'), { mode: 0o700 });
    const name = `${last}.enc`;
    renameSync(join(made.directory, 'files', name), join(made.directory, 'quarantine', name));
    await made.reopen();
    for (const path of ['c.txt', 'd.txt', 'e.txt', 'f.txt']) await made.put(path);
    await all(made.vault.adopt([name], { name: 'found' }));
    expect(made.vault.list({ recursive: true, folder: '' }).files.map(({ id }) => id)).toContain(last);
    await expect(backUpReadOnly(made, backup)).rejects.toMatchObject(missing('last.bin'));
  });

  test('is not replaced by a vault of another instance, of another key, or when it is damaged', async () => {
    const { made, backup } = await withFiles();
    const whole = made.path('whole');
    await all(made.vault.backup(whole));
    await backUpReadOnly(made, backup);
    const directory = made.path('restored');
    await all(restoreVault({ source: whole, directory, secret: made.secret }));
    await using restored = await openVault({ directory, secret: made.secret });
    await expect(all(restored.backup(backup))).rejects.toMatchObject(LATER);
    const database = join(backup, 'data.db');
    copyFileSync(database, made.path('kept'));
    writeFileSync(database, readFileSync(database).fill(0, 0, 4096));
    await expect(all(made.vault.backup(backup))).rejects.toMatchObject(LATER);
    copyFileSync(made.path('kept'), database);
    await rotate(made.vault, keeping(made.vault, made.secret));
    await expect(all(made.vault.backup(backup))).rejects.toMatchObject(LATER);
    expect(await pathsIn(made, backup)).toEqual(['a.txt', 'large.bin']);
  });

  test('that the vault itself made since is replaced by no other copy, whatever it holds', async () => {
    const { made, backup } = await withFiles();
    await made.vault.close();
    const directory = made.path('copy');
    execFileSync('cp', ['-a', made.directory, directory]);
    await made.reopen();
    await backUpReadOnly(made, backup);
    await all(made.vault.backup(backup));
    await using copy = await openVault({ directory, secret: made.secret });
    for (const name of ['b', 'c', 'd']) copy.tag('a.txt', { add: [name] });
    await expect(all(copy.backup(backup))).rejects.toMatchObject(LATER);
  });

  test('while somebody has it open is not looked into', async () => {
    const { made, backup } = await withFiles();
    await backUpReadOnly(made, backup);
    await openBackup(made, backup, async () => {
      await expect(all(made.vault.backup(backup, { dryRun: true }))).rejects.toMatchObject({
        code: 'IN_USE',
      });
    });
    expect(summaryOf(await all(made.vault.backup(backup, { dryRun: true })))).toMatchObject({ files: 2 });
  });
});
