import { SecretKey } from '@coffer/crypto';
import { execFileSync } from 'node:child_process';
import { readFile, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { addSlot, repairVaultFile } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { TestFolder, newKeyfile } from '../support.ts';

/** A file system with so many bytes free, until `work` is done. */
async function onSmallDisk(freeBytes: number, work: (folder: TestFolder) => Promise<void>): Promise<void> {
  await using folder = await TestFolder.make();
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder.path]);
  try {
    const { bavail, bsize } = await statfs(folder.path);
    await writeFile(folder.join('ballast'), new Uint8Array(bavail * bsize - freeBytes));
    await work(folder);
  } finally {
    execFileSync('umount', ['-l', folder.path]);
  }
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// Pages of 4 KiB: two copies take two, a change two more before it takes the place of the old ones.
describe.skipIf(!canMount())('on a full disk (needs root for a small tmpfs)', () => {
  test.each([0, 4096])(
    'with %i bytes left, a vault file is not made, and nothing is left of it',
    async (freeBytes) => {
      await using keys = await TestFolder.make();
      using rootKey = SecretKey.generate();
      const secret = await newKeyfile(keys, 'key');
      await onSmallDisk(freeBytes, async (folder) => {
        await expect(createVaultFile(folder.vault(), { rootKey, secret })).rejects.toMatchObject({
          code: 'NO_SPACE',
        });
        expect(await readdir(folder.path)).toEqual(['ballast']);
      });
    },
  );

  test.each([8192, 12_288])(
    'with %i bytes left, a change fails and changes neither copy',
    async (freeBytes) => {
      await using keys = await TestFolder.make();
      using rootKey = SecretKey.generate();
      const secret = await newKeyfile(keys, 'key');
      await onSmallDisk(freeBytes, async (folder) => {
        const paths = folder.vault();
        const file = await createVaultFile(paths, { rootKey, secret });
        const before = await readFile(paths.vaultFile);
        await expect(addSlot(file, rootKey, await newKeyfile(keys, 'second'))).rejects.toMatchObject({
          code: 'NO_SPACE',
        });
        expect(await readFile(paths.vaultFile)).toEqual(before);
        expect(await readFile(paths.vaultFileCopy)).toEqual(before);
        expect((await readdir(folder.path)).sort()).toEqual(['ballast', 'vault.json', 'vault.json.bak']);
        expect(await readVaultFile(paths)).toMatchObject({ warnings: [] });
      });
    },
  );

  test('a copy that is missing can not be written, which is said, and the vault still opens', async () => {
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    await onSmallDisk(8192, async (folder) => {
      const paths = folder.vault();
      await createVaultFile(paths, { rootKey, secret });
      await rm(paths.vaultFile);
      const unlocked = await unlockVaultFile(await readVaultFile(paths), secret);
      using opened = unlocked.rootKey;
      const file = await repairVaultFile(unlocked.file, opened);
      expect(file.warnings).toEqual([
        expect.stringContaining('is missing'),
        expect.stringContaining('could not be repaired'),
      ]);
      await rm(folder.join('ballast'));
      const added = await addSlot(file, opened, await newKeyfile(keys, 'second'));
      expect(added).toMatchObject({ file: { warnings: [] } });
    });
  });
});
