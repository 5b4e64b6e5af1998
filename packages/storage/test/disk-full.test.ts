import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { decryptedPages } from './decrypted-pages.ts';
import { KEY, open, randomContent, sealedNames } from './support.ts';

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mountSmall(size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

let fillers = 0;

function fillToTheLastByte(mounted: string): void {
  const path = join(mounted, `filler-${String(fillers++)}`);
  const descriptor = openSync(path, 'w');
  try {
    for (;;) writeSync(descriptor, new Uint8Array(4_096));
  } catch {
    // Full.
  } finally {
    closeSync(descriptor);
  }
  expect(statfsSync(mounted).bavail).toBe(0);
}

const mountable = canMount();

describe.skipIf(!mountable)('on a full or read-only disk (needs root for a small tmpfs)', () => {
  test('a save that does not fit fails with NO_SPACE, leaves nothing, and what was stored stays', async () => {
    const mounted = mountSmall('6m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const { storage } = await open(directory);
    const content = randomContent(500_000);
    const kept = await storage.saveFile(content, { name: 'kept' });
    await expect(storage.saveFile(randomContent(8_000_000), { name: 'too large' })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(sealedNames(directory)).toEqual([`${kept.id}.enc`]);
    expect(Buffer.from(await storage.getFile(kept.id)).equals(content)).toBe(true);
    expect(storage.listFiles().rows).toHaveLength(1);
    // And it goes on once there is space.
    await storage.saveFile(randomContent(500_000), { name: 'fits' });
  });

  test('a small file that does not fit fails with NO_SPACE, and reading still works', async () => {
    const mounted = mountSmall('3m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const { storage } = await open(directory);
    const kept = await storage.saveFile(randomContent(1_000), { name: 'kept' });
    const { bavail, bsize } = statfsSync(mounted);
    writeFileSync(join(mounted, 'filler'), randomContent(bavail * bsize - 16_384));
    await expect(storage.saveFile(randomContent(90_000), { name: 'no' })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(await storage.getFile(kept.id)).toHaveLength(1_000);
    expect(storage.listFiles().rows.map((row) => row.name)).toEqual(['kept']);
  });

  test('deleting works with not a byte left, for small and sealed files, and makes room for others', async () => {
    const mounted = mountSmall('6m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const { storage } = await open(directory);
    const small = await storage.saveFile(randomContent(90_000), { name: 'small' });
    const sealed = await storage.saveFile(randomContent(500_000), { name: 'sealed' });
    fillToTheLastByte(mounted);
    await expect(storage.saveFile(randomContent(90_000), { name: 'no' })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(await storage.deleteFile(small.id)).toMatchObject({ pending: [] });
    expect((await storage.deleteFile(sealed.id)).deleted).toHaveLength(1);
    expect(sealedNames(directory)).toEqual([]);
    expect(storage.listFiles().rows).toEqual([]);
    await storage.saveFile(randomContent(200_000), { name: 'fits again' });
  });

  test('shredding works with not a byte left, also for what is in the log only, and leaves nothing', async () => {
    for (const isInLog of [true, false]) {
      const mounted = mountSmall('12m');
      const directory = join(mounted, 'vault');
      mkdirSync(directory);
      let owned = await open(directory);
      let { storage } = owned;
      const content = randomContent(90_000);
      const { id } = await storage.saveFile(content, { name: 'small' });
      const sealed = await storage.saveFile(randomContent(500_000), { name: 'sealed' });
      const others = isInLog ? 5 : 20;
      for (let index = 0; index < others; index++)
        await storage.saveFile(randomContent(90_000), { name: String(index) });
      if (!isInLog) {
        await owned.close();
        owned = await open(directory);
        ({ storage } = owned);
      }
      fillToTheLastByte(mounted);
      const result = await storage.deleteFiles([id, sealed.id], { shred: true });
      expect([result.pending, result.notShredded]).toEqual([[], undefined]);
      expect(decryptedPages(directory, KEY).includes(Buffer.from(content.subarray(60_000, 60_016)))).toBe(
        false,
      );
      expect(sealedNames(directory)).toEqual([]);
      expect(storage.listFiles().rows).toHaveLength(others);
    }
  });

  test('a full disk does not keep a check from reading, and it says what it could not look at', async () => {
    const mounted = mountSmall('12m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const { storage } = await open(directory);
    // More than the reserve, and in the log only: data.db would have to grow for the pages to be looked at.
    for (let index = 0; index < 40; index++)
      await storage.saveFile(randomContent(90_000), { name: String(index) });
    fillToTheLastByte(mounted);
    const codes = [];
    for await (const { code } of storage.check({ mode: 'full' })) codes.push(code);
    expect(codes).toEqual(['NOT_CHECKED']);
    expect(storage.listFiles().rows).toHaveLength(40);
  });

  test('a storage can be closed and opened with not a byte left', async () => {
    const mounted = mountSmall('6m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const first = await open(directory);
    const { id } = await first.storage.saveFile(randomContent(500_000), { name: 'kept' });
    fillToTheLastByte(mounted);
    await first.close();
    const { storage } = await open(directory);
    expect(await storage.getFile(id)).toHaveLength(500_000);
    const found = [];
    for await (const finding of storage.check({ mode: 'full' })) found.push(finding);
    expect(found).toEqual([]);
  });

  test('a read that finds damage says so, though it can not be kept', async () => {
    const mounted = mountSmall('6m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    const { storage } = await open(directory);
    const { id } = await storage.saveFile(randomContent(500_000), { name: 'damaged' });
    truncateSync(join(directory, 'files', `${id}.enc`), 400_000);
    fillToTheLastByte(mounted);
    await expect(storage.getFile(id)).rejects.toMatchObject({ code: 'DAMAGED', damage: 'FILE_TRUNCATED' });
    await expect(storage.getFile(id)).rejects.toMatchObject({ code: 'DAMAGED', damage: 'FILE_TRUNCATED' });
  });

  test('a storage on a read-only file system is refused as not permitted', async () => {
    const mounted = mountSmall('6m');
    const directory = join(mounted, 'vault');
    mkdirSync(directory);
    await (await open(directory)).close();
    execFileSync('mount', ['-o', 'remount,ro', mounted]);
    await expect(open(directory)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  });

  test('getting a file onto a full disk fails with NO_SPACE and leaves nothing there', async () => {
    const mounted = mountSmall('1m');
    const directory = mkdtempSync(join(tmpdir(), 'coffer-storage-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    const { storage } = await open(directory);
    const { id } = await storage.saveFile(randomContent(3_000_000), { name: 'large' });
    await expect(storage.writeFileTo(id, join(mounted, 'large'))).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(statfsSync(mounted).bavail * statfsSync(mounted).bsize).toBeGreaterThan(900_000);
  });
});
