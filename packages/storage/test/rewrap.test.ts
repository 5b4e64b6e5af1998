import { SEALED_FILE, SecretKey, decodeHeader, encodeHeaderBlock, FileKey } from '@coffer/crypto';
import { fileIdFromBytes, fileIdToBytes } from '@coffer/database';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FileTurns } from '../src/file-turns.ts';
import { StorageKeys } from '../src/index.ts';
import { readHeaderState, rewrapHeader } from '../src/rewrap-header.ts';
import { makeFolder, seeded } from './support.ts';

const { HEADER_BLOCK_SIZE_BYTES: BLOCK, HEADER_SIZE_BYTES } = SEALED_FILE;
const OLD = SecretKey.fromBytes(new Uint8Array(32).fill(1));
const NEW = SecretKey.fromBytes(new Uint8Array(32).fill(2));
const ID = fileIdFromBytes(new Uint8Array(16).fill(9));
const CONTENT = randomBytes(500);
const FILE_KEY = new Uint8Array(32).fill(3);

function block(root: SecretKey, keyEpoch: number, sequence: bigint): Uint8Array {
  using fileKey = FileKey.fromBytes(FILE_KEY);
  using storageKey = root.derive('coffer/storage/v1');
  return encodeHeaderBlock(storageKey, fileKey, {
    fileId: fileIdToBytes(ID),
    keyEpoch,
    sequence,
    segmentSizeLog2: 18,
  });
}

/** The keys of a vault that is rotating from the first epoch to the second. */
function rotatingKeys(): StorageKeys {
  const keys = StorageKeys.derive(OLD);
  keys.advance(NEW);
  return keys;
}

function writeFile(places: readonly [Uint8Array, Uint8Array], folder: string = makeFolder()): string {
  const path = join(folder, `${ID}.enc`);
  writeFileSync(path, Buffer.concat([...places, CONTENT]));
  return path;
}

/** The key that a reader finds, with the storage keys of these epochs. */
function read(path: string, keys: StorageKeys): { readonly epoch: number; readonly fileKey: Buffer } {
  const header = readFileSync(path).subarray(0, HEADER_SIZE_BYTES);
  const opened = decodeHeader(header, {
    storageKeyOf: (epoch) => keys.find(epoch),
    fileId: fileIdToBytes(ID),
  });
  using fileKey = opened.fileKey;
  return { epoch: opened.header.keyEpoch, fileKey: Buffer.from(fileKey.exportBytes()) };
}

function expectRewrapped(path: string): void {
  using newKeys = StorageKeys.derive(NEW, 2);
  using oldKeys = StorageKeys.derive(OLD);
  expect(read(path, newKeys)).toEqual({ epoch: 2, fileKey: Buffer.from(FILE_KEY) });
  expect(() => read(path, oldKeys)).toThrow();
  const bytes = readFileSync(path);
  const places = [bytes.subarray(0, BLOCK), bytes.subarray(BLOCK, HEADER_SIZE_BYTES)];
  expect(places.filter((place) => place.every((byte) => byte === 0))).toHaveLength(1);
  expect(bytes.subarray(HEADER_SIZE_BYTES).equals(CONTENT)).toBe(true);
}

const FREE = new Uint8Array(BLOCK);
const FIRST = block(OLD, 1, 1n);
const NEXT = block(NEW, 2, 2n);

describe('a header', () => {
  test.each([
    ['in the first place', [FIRST, FREE], 2n],
    ['in the second place', [FREE, block(OLD, 1, 6n)], 7n],
  ] as const)('%s is written anew in the other one, under a higher number', async (_, places, sequence) => {
    const path = writeFile(places);
    using keys = rotatingKeys();
    expect(await rewrapHeader(path, ID, keys)).toBe(true);
    expectRewrapped(path);
    expect(await readHeaderState(path, ID, keys)).toMatchObject({ keyEpoch: 2, sequence });
    expect(await rewrapHeader(path, ID, keys)).toBe(false);
  });

  test('of no key that is known is left as it is, and so is a folder or a link', async () => {
    const path = writeFile([block(SecretKey.generate(), 1, 1n), FREE]);
    const before = readFileSync(path);
    using keys = rotatingKeys();
    await expect(rewrapHeader(path, ID, keys)).rejects.toMatchObject({ code: 'INVALID_HEADER' });
    expect(readFileSync(path)).toEqual(before);
    await expect(rewrapHeader(join(path, '..'), ID, keys)).rejects.toThrow();
    await expect(rewrapHeader(`${path}.none`, ID, keys)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/*
 * What a rewrap can leave when it ends in the middle of a write, or the power does: any sectors of the block that is being written, each as it
 * was or as it will be, and torn at any byte.
 */
describe('a rewrap that was torn', () => {
  const random = seeded(20_261_124);
  const tornAt = (before: Uint8Array, after: Uint8Array, at: number): Uint8Array =>
    Buffer.concat([after.subarray(0, at), before.subarray(at)]);
  const sectors = (before: Uint8Array, after: Uint8Array): Uint8Array => {
    const mixed = Buffer.from(before);
    for (let at = 0; at < BLOCK; at += 512) if (random() < 0.5) mixed.set(after.subarray(at, at + 512), at);
    return mixed;
  };
  const junk = (): Uint8Array => new Uint8Array(randomBytes(BLOCK));

  // All that a block has is in its first 177 bytes; what comes later is zeros before and after.
  const tears = [...Array.from({ length: 182 }, (_, at) => at), 512, 1000, 4095, 4096];

  test('at any byte of the new block is read, and done again', async () => {
    using keys = rotatingKeys();
    const folder = makeFolder();
    for (const at of tears) {
      const path = writeFile([FIRST, tornAt(FREE, NEXT, at)], folder);
      expect(read(path, keys).fileKey).toEqual(Buffer.from(FILE_KEY));
      await rewrapHeader(path, ID, keys);
      expectRewrapped(path);
    }
  });

  test('at any byte of the zeros over the old block is read, and done again', async () => {
    using keys = rotatingKeys();
    const folder = makeFolder();
    for (const at of tears) {
      const path = writeFile([tornAt(FIRST, FREE, at), NEXT], folder);
      expect(read(path, keys)).toEqual({ epoch: 2, fileKey: Buffer.from(FILE_KEY) });
      await rewrapHeader(path, ID, keys);
      expectRewrapped(path);
    }
  });

  test('in any sectors, or into anything else, is read, and done again', async () => {
    using keys = rotatingKeys();
    const folder = makeFolder();
    for (let round = 0; round < 60; round += 1) {
      const states = [
        [FIRST, sectors(FREE, NEXT)],
        [sectors(FIRST, FREE), NEXT],
        [FIRST, junk()],
        [junk(), NEXT],
      ] as const;
      const path = writeFile(states[round % states.length] ?? [FIRST, FREE], folder);
      expect(read(path, keys).fileKey).toEqual(Buffer.from(FILE_KEY));
      await rewrapHeader(path, ID, keys);
      expectRewrapped(path);
    }
  });
});

test('a turn of a file begins when the one before has ended, however it ended', async () => {
  const turns = new FileTurns();
  const other = fileIdFromBytes(new Uint8Array(16));
  const said: string[] = [];
  const work =
    (name: string, failing = false) =>
    async (): Promise<void> => {
      said.push(`${name} begins`);
      await new Promise((done) => setImmediate(done));
      said.push(`${name} ends`);
      if (failing) throw new Error(name);
    };
  const first = turns.take(ID, work('first', true));
  const second = turns.take(ID, work('second'));
  const elsewhere = turns.take(other, work('elsewhere'));
  await expect(first).rejects.toThrow('first');
  await Promise.all([second, elsewhere]);
  expect(said.indexOf('second begins')).toBeGreaterThan(said.indexOf('first ends'));
  expect(said.indexOf('elsewhere begins')).toBeLessThan(said.indexOf('first ends'));
});

test('storage keys: the current epoch is written, earlier ones are read until they are forgotten', () => {
  using keys = rotatingKeys();
  expect(keys.currentEpoch).toBe(2);
  expect(keys.find(1)).toBeDefined();
  keys.forgetEarlier();
  expect(keys.find(1)).toBeUndefined();
  expect(() => keys.get(1)).toThrow('no storage key of epoch 1');
  expect(() => {
    keys.addEarlier(OLD, 2);
  }).toThrow('not an earlier epoch');
});
