import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openVault, restoreVault } from '../../src/index.ts';
import { canMount } from '../vault/small-disk.ts';
import { TestVault, all } from '../vault/test-vault.ts';
import { openBackup, summaryOf } from './support.ts';

/** A file system of this size, in a folder of the test's. */
function mountSmall(made: TestVault, name: string, size: string): string {
  const path = made.path(name);
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', path]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', path]);
  });
  return path;
}

function fillBut(path: string, freeBytes: number): void {
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(join(path, 'filler'), new Uint8Array(bavail * bsize - freeBytes));
}

async function withFiles(count: number): Promise<TestVault> {
  const made = await TestVault.create();
  await made.put('small', randomBytes(50_000));
  for (let file = 0; file < count; file++) await made.put(`file-${String(file)}`, randomBytes(400_000));
  return made;
}

describe.skipIf(!canMount)('on a small disk (needs root for a tmpfs)', () => {
  test('a first backup that does not fit is none, and fits when there is space', async () => {
    const made = await withFiles(4);
    const disk = mountSmall(made, 'disk', '16m');
    const directory = join(disk, 'backup');
    fillBut(disk, 1_000_000);
    await expect(all(made.vault.backup(directory))).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(openVault({ directory, secret: made.secret })).rejects.toMatchObject({ code: 'NO_VAULT' });
    rmSync(join(disk, 'filler'));
    await all(made.vault.backup(directory));
    await openBackup(made, directory, async (backup) => {
      expect(await all(backup.check())).toMatchObject([{ findings: 0, filesRead: 5 }]);
    });
  });

  // From nothing to nearly enough: in the database, a sealed file, the last files of the staging folder.
  test.each([0, 40_000, 200_000, 500_000, 900_000])(
    'with %i bytes left, an incremental backup leaves the one before, and the next one goes on',
    async (freeBytes) => {
      const made = await withFiles(2);
      const disk = mountSmall(made, 'disk', '16m');
      const directory = join(disk, 'backup');
      await all(made.vault.backup(directory));
      const before = made.vault.list().files;
      await made.put('new-1', randomBytes(400_000));
      await made.put('new-2', randomBytes(400_000));
      await all(made.vault.removePaths(['file-0']));
      // What opening the backup needs.
      fillBut(disk, freeBytes);
      await expect(all(made.vault.backup(directory))).rejects.toMatchObject({ code: 'NO_SPACE' });
      await openBackup(made, directory, async (backup) => {
        expect(backup.list().files).toEqual(before);
        expect(await all(backup.check())).toMatchObject([{ findings: 0, filesRead: 3 }]);
      });
      rmSync(join(disk, 'filler'));
      expect(summaryOf(await all(made.vault.backup(directory)))).toMatchObject({
        copied: { files: 2 },
        unchanged: { files: 1 },
        removed: { files: 1 },
      });
      expect(readdirSync(directory).filter((name) => name.startsWith('backup.'))).toEqual(['backup.json']);
    },
  );

  test('deleting goes on while a backup has no more space for what is deleted', async () => {
    const made = await withFiles(4);
    const disk = mountSmall(made, 'disk', '16m');
    fillBut(disk, 1_000_000);
    const backup = (async () => {
      for await (const event of made.vault.backup(join(disk, 'backup')))
        if (event.type === 'copied') await all(made.vault.removePaths(['file-1', 'file-2', 'file-3']));
    })();
    await expect(backup).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(made.paths()).toEqual(['file-0', 'small']);
    expect(readdirSync(join(made.directory, 'files'))).toHaveLength(1);
  });

  test('a vault whose own disk is full can be backed up', async () => {
    const made = await withFiles(1);
    const disk = mountSmall(made, 'disk', '16m');
    const full = join(disk, 'vault');
    await all(made.vault.backup(made.path('first')));
    await all(restoreVault({ source: made.path('first'), directory: full, secret: made.secret }));
    fillBut(disk, 0);
    await using vault = await openVault({ directory: full, secret: made.secret });
    await all(vault.backup(made.path('second')));
    await openBackup(made, made.path('second'), async (backup) => {
      expect(await all(backup.check())).toMatchObject([{ findings: 0, filesRead: 2 }]);
    });
  });

  test('restoring that does not fit is no vault, and goes on when there is space', async () => {
    const made = await withFiles(4);
    const source = made.path('backup');
    await all(made.vault.backup(source));
    const disk = mountSmall(made, 'disk', '16m');
    const directory = join(disk, 'restored');
    fillBut(disk, 2_500_000);
    const options = { source, directory, secret: made.secret };
    await expect(all(restoreVault(options))).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(openVault(options)).rejects.toMatchObject({ code: 'NO_VAULT' });
    rmSync(join(disk, 'filler'));
    expect(await all(restoreVault(options))).toMatchObject([{ type: 'summary', findings: 0 }]);
  });

  test('a backup on a disk that is read-only can be restored, and not be brought up to date', async () => {
    const made = await withFiles(1);
    const disk = mountSmall(made, 'disk', '16m');
    const source = join(disk, 'backup');
    await all(made.vault.backup(source));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const { secret } = made;
    await expect(all(made.vault.backup(source))).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
    expect(await all(restoreVault({ source, directory: made.path('restored'), secret }))).toMatchObject([
      { type: 'summary', findings: 0 },
    ]);
  });
});
