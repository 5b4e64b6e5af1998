import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { createDurableFile, removeLeftover, stageFile, syncFolder } from '../src/durable-file.ts';
import { TestFolder, onPosix } from './support.ts';

const bytes = new TextEncoder().encode('new content');

describe('stageFile', () => {
  test('leaves the old content in place until it is committed', async () => {
    await using folder = await TestFolder.make();
    const path = folder.join('file');
    await writeFile(path, 'old');
    await using staged = await stageFile(path, bytes);
    expect(await staged.readBack()).toEqual(bytes);
    expect(await readFile(path, 'utf8')).toBe('old');
    await staged.commit();
    expect(await readFile(path, 'utf8')).toBe('new content');
    expect(await readdir(folder.path)).toEqual(['file']);
  });

  onPosix('gives the file a mode for the owner alone, whatever the old one had', async () => {
    await using folder = await TestFolder.make();
    const path = folder.join('file');
    await writeFile(path, 'old', { mode: 0o644 });
    await using staged = await stageFile(path, bytes);
    await staged.commit();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('without a commit, nothing is left of it', async () => {
    await using folder = await TestFolder.make();
    const staged = await stageFile(folder.join('file'), bytes);
    await staged[Symbol.asyncDispose]();
    expect(await readdir(folder.path)).toEqual([]);
  });

  test('replaces what a crash left of the last time', async () => {
    await using folder = await TestFolder.make();
    await writeFile(folder.join('file.tmp'), 'torn, and longer than what comes now');
    await using staged = await stageFile(folder.join('file'), bytes);
    expect(await staged.readBack()).toEqual(bytes);
  });

  onPosix('does not write through a link that someone put under the temporary name', async () => {
    await using folder = await TestFolder.make();
    await writeFile(folder.join('victim'), 'untouched');
    await symlink(folder.join('victim'), folder.join('file.tmp'));
    await using staged = await stageFile(folder.join('file'), bytes);
    await staged.commit();
    expect(await readFile(folder.join('victim'), 'utf8')).toBe('untouched');
  });

  test('an exclusive commit never replaces a file', async () => {
    await using folder = await TestFolder.make();
    const path = folder.join('file');
    await using staged = await stageFile(path, bytes);
    await writeFile(path, 'made meanwhile');
    await expect(staged.commit({ exclusive: true })).rejects.toMatchObject({ code: 'EXISTS' });
    expect(await readFile(path, 'utf8')).toBe('made meanwhile');
  });

  test('an exclusive commit of a new file leaves that file alone', async () => {
    await using folder = await TestFolder.make();
    await using staged = await stageFile(folder.join('file'), bytes);
    await staged.commit({ exclusive: true });
    expect(await readdir(folder.path)).toEqual(['file']);
  });

  test('says so when the folder is not there', async () => {
    await using folder = await TestFolder.make();
    await expect(stageFile(folder.join('no', 'file'), bytes)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('says so when a folder has the name', async () => {
    await using folder = await TestFolder.make();
    await mkdir(folder.join('file', 'full'), { recursive: true });
    await using staged = await stageFile(folder.join('file'), bytes);
    await expect(staged.commit()).rejects.toMatchObject({ name: 'VaultError' });
  });
});

const isRoot = process.getuid?.() === 0;

// root may do anything but write where even root can't: a read-only mount.
test.skipIf(!isRoot || process.platform !== 'linux' || !canMount())(
  'a read-only file system is NOT_PERMITTED (needs root for a mount)',
  async () => {
    await using folder = await TestFolder.make();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=16k', 'tmpfs', folder.path]);
    try {
      await expect(stageFile(folder.join('file'), bytes)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
      await expect(createDurableFile(folder.join('file'), bytes)).rejects.toMatchObject({
        code: 'NOT_PERMITTED',
      });
    } finally {
      execFileSync('umount', [folder.path]);
    }
  },
);

test.skipIf(isRoot || process.platform === 'win32')(
  'a read-only folder is NOT_PERMITTED (needs another user than root)',
  async () => {
    await using folder = await TestFolder.make();
    await mkdir(folder.join('sub'), { mode: 0o500 });
    await expect(stageFile(folder.join('sub', 'file'), bytes)).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
    });
  },
);

test('createDurableFile never replaces a file', async () => {
  await using folder = await TestFolder.make();
  await createDurableFile(folder.join('file'), bytes);
  await expect(createDurableFile(folder.join('file'), bytes)).rejects.toMatchObject({ code: 'EXISTS' });
  expect(await readFile(folder.join('file'), 'utf8')).toBe('new content');
});

test('removing a leftover that is not there is fine', async () => {
  await using folder = await TestFolder.make();
  await expect(removeLeftover(folder.join('file'))).resolves.toBeUndefined();
});

test('a folder that is there can be synced on every system', async () => {
  await using folder = await TestFolder.make();
  await expect(syncFolder(folder.path)).resolves.toBeUndefined();
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
