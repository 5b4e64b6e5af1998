import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { OutputFile } from '../src/output-file.ts';
import { allocateShared } from '../src/pool/aligned-memory.ts';
import { makeFolder, open, randomContent, sealedNames, sha256Of } from './support.ts';

const MIB = 1_048_576;

/** Writes pieces after each other, each from memory that lies as the file does, and returns the file. */
async function writePieces(path: string, sizes: readonly number[], begin: number): Promise<Buffer> {
  await using file = await OutputFile.create(path, 0o600);
  await file.preferDirect();
  const memory = new Uint8Array(allocateShared(2 * MIB));
  let position = begin;
  await file.write(new Uint8Array(begin).fill(1), 0);
  for (const [index, size] of sizes.entries()) {
    const bytes = memory.subarray(position, position + size).fill(index + 2);
    await file.writeBlocks(bytes, position);
    position += size;
  }
  await file.finish();
  return readFileSync(path);
}

function expected(sizes: readonly number[], begin: number): Buffer {
  return Buffer.concat([
    Buffer.alloc(begin, 1),
    ...sizes.map((size, index) => Buffer.alloc(size, index + 2)),
  ]);
}

describe('blocks', () => {
  test('of any sizes, from any place on, make the same file as plain writes', async () => {
    const folder = makeFolder();
    let runs = 0;
    const sizes = fc.array(fc.oneof(fc.constant(4_096), fc.constant(262_217), fc.nat(150_000)), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.oneof(fc.constant(0), fc.nat(10_000)), async (pieces, begin) => {
        const written = await writePieces(join(folder, String(runs++)), pieces, begin);
        expect(written.equals(expected(pieces, begin))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('from memory that lies otherwise than the file are written through the page cache', async () => {
    const path = join(makeFolder(), 'file');
    const content = randomContent(3 * MIB);
    await using file = await OutputFile.create(path, 0o600);
    await file.preferDirect();
    const memory = new Uint8Array(allocateShared(4 * MIB));
    memory.set(content, 1);
    await file.writeBlocks(memory.subarray(1, MIB + 1), 0);
    await file.writeBlocks(memory.subarray(MIB + 1, 3 * MIB + 1), MIB);
    await file.finish();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('never go to another file that has taken the name', async () => {
    const path = join(makeFolder(), 'file');
    const memory = new Uint8Array(allocateShared(MIB)).fill(7);
    await using file = await OutputFile.create(path, 0o600);
    renameSync(path, `${path}.moved`);
    writeFileSync(path, 'of somebody else');
    await file.preferDirect();
    await file.writeBlocks(memory, 0);
    await file.finish();
    expect(readFileSync(path, 'utf8')).toBe('of somebody else');
    expect(readFileSync(`${path}.moved`).equals(Buffer.alloc(MIB, 7))).toBe(true);
  });
});

function mount(kind: string, options: readonly string[] = []): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-mount-'));
  try {
    execFileSync('mount', ['-t', kind, ...options, kind, folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
}

function mounted(kind: string, options: readonly string[] = []): string {
  const folder = mount(kind, options);
  if (folder === undefined) throw new Error(`${kind} can't be mounted`);
  onTestFinished(() => {
    unmount(folder);
  });
  return folder;
}

function canMount(kind: string): boolean {
  const folder = mount(kind);
  if (folder !== undefined) unmount(folder);
  return folder !== undefined;
}

test.skipIf(!canMount('ramfs'))(
  'a file system without direct I/O takes large files too (needs root, for a ramfs)',
  async () => {
    const { storage } = await open(join(mounted('ramfs'), 'vault'), { parallelFromBytes: 0 });
    const content = randomContent(20 * MIB + 5);
    const { id } = await storage.saveFile(content, { name: 'f' });
    expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
  },
);

describe.skipIf(!canMount('tmpfs'))('on a full disk (needs root, for a small tmpfs)', () => {
  test('a large save fails with NO_SPACE and leaves nothing', async () => {
    const directory = join(mounted('tmpfs', ['-o', 'size=20m']), 'vault');
    const { storage } = await open(directory, { parallelFromBytes: 0 });
    const content = randomContent(6 * MIB);
    const { id } = await storage.saveFile(content, { name: 'kept' });
    for (let turn = 0; turn < 3; turn++) {
      await expect(storage.saveFile(randomContent(24 * MIB), { name: 'f' })).rejects.toMatchObject({
        code: 'NO_SPACE',
      });
      expect(sealedNames(directory)).toEqual([`${id}.enc`]);
    }
    expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
  });

  test('a large file that is written out fails with NO_SPACE and leaves nothing', async () => {
    const { storage } = await open(join(makeFolder(), 'vault'), { parallelFromBytes: 0 });
    const { id } = await storage.saveFile(randomContent(24 * MIB), { name: 'f' });
    const target = join(mounted('tmpfs', ['-o', 'size=10m']), 'target');
    await expect(storage.writeFileTo(id, target)).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(existsSync(target)).toBe(false);
  });
});
