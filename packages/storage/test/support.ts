import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openFileStorage } from '../src/index.ts';
import type { FileStorage, OpenFileStorageOptions, OwnedFileStorage } from '../src/index.ts';

export const KEY = new Uint8Array(32).fill(7);

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-storage-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

type TestOptions = Omit<OpenFileStorageOptions, 'directory' | 'key'>;

/** The two ways in which large files are sealed and opened; what holds for one has to hold for the other. */
export const THREADS: readonly (readonly [string, TestOptions])[] = [
  ['on one thread', { parallelFromBytes: Number.POSITIVE_INFINITY }],
  ['on the threads of the pool', { parallelFromBytes: 0 }],
];

export async function open(directory: string, options: TestOptions = {}): Promise<OwnedFileStorage> {
  const owned = await openFileStorage({ directory, key: KEY, ...options });
  onTestFinished(() => owned.close());
  return owned;
}

/** A storage in a folder of its own, closed and removed when the test ends. */
export async function makeStorage(
  options: TestOptions = {},
): Promise<{ directory: string; storage: FileStorage }> {
  const directory = makeFolder();
  const { storage } = await open(directory, options);
  return { directory, storage };
}

export function randomContent(sizeBytes: number): Uint8Array {
  return new Uint8Array(randomBytes(sizeBytes));
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece.slice());
  return new Uint8Array(Buffer.concat(all));
}

export async function* inPieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    yield await Promise.resolve(bytes.subarray(at, at + sizeBytes));
  }
}

/** Names in the storage's `files/` folder, sorted. */
export function sealedNames(directory: string): string[] {
  return readdirSync(join(directory, 'files')).sort();
}

/** Every file below a folder with its bytes. */
export function allFiles(directory: string): Map<string, Buffer> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  return new Map(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path)]),
  );
}

/** Small deterministic random numbers (mulberry32), so that a failing test can be run again with its seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
