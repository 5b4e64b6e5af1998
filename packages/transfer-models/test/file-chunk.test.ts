import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHUNK_SIZE_BYTES,
  MAX_CHUNK_COUNT,
  MAX_FILE_SIZE_BYTES,
  chunkBounds,
  chunkCount,
  createFileChunk,
  isFileChunkIntact,
  parseFileChunk,
} from '../src/index.ts';
import { expectError, expectParserToHold } from './expect-error.ts';

const HASH = new Uint8Array(32);

describe('the chunks of a file', () => {
  test.each([
    [0, 1],
    [1, 1],
    [CHUNK_SIZE_BYTES - 1, 1],
    [CHUNK_SIZE_BYTES, 1],
    [CHUNK_SIZE_BYTES + 1, 2],
    [5 * CHUNK_SIZE_BYTES, 5],
    [MAX_FILE_SIZE_BYTES - 1, MAX_CHUNK_COUNT],
    [MAX_FILE_SIZE_BYTES, MAX_CHUNK_COUNT],
  ])('of %i bytes are %i', (sizeBytes, count) => {
    expect(chunkCount(sizeBytes)).toBe(count);
  });

  test('cover it without a gap, each full but the last', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 * CHUNK_SIZE_BYTES }), (sizeBytes) => {
        const count = chunkCount(sizeBytes);
        let endBytes = 0;
        for (let index = 0; index < count; index++) {
          const bounds = chunkBounds(index, sizeBytes);
          expect(bounds.startBytes).toBe(endBytes);
          expect(bounds.final).toBe(index === count - 1);
          if (!bounds.final) expect(bounds.endBytes - bounds.startBytes).toBe(CHUNK_SIZE_BYTES);
          else if (sizeBytes > 0) expect(bounds.endBytes).toBeGreaterThan(bounds.startBytes);
          endBytes = bounds.endBytes;
        }
        expect(endBytes).toBe(sizeBytes);
      }),
    );
  });

  test('have exact places up to the largest file', () => {
    expect(chunkBounds(MAX_CHUNK_COUNT - 1, MAX_FILE_SIZE_BYTES)).toEqual({
      startBytes: MAX_FILE_SIZE_BYTES - CHUNK_SIZE_BYTES,
      endBytes: MAX_FILE_SIZE_BYTES,
      final: true,
    });
  });

  test.each([-1, 2, 0.5, NaN, Infinity])('of two have no chunk %d', (index) => {
    expectError('INVALID', () => chunkBounds(index, 2 * CHUNK_SIZE_BYTES));
  });

  test('are not counted for a size that is none', () => {
    expectError('INVALID', () => chunkCount(-1));
    expectError('INVALID', () => chunkCount(1.5));
    expectError('INVALID', () => chunkCount(NaN));
    expectError('TOO_LARGE', () => chunkCount(MAX_FILE_SIZE_BYTES + 1));
  });
});

describe('a chunk', () => {
  test('carries the SHA-256 of its bytes', () => {
    const bytes = new TextEncoder().encode('abc');
    const chunk = createFileChunk(3, bytes);
    expect(chunk.index).toBe(3);
    expect(chunk.bytes).toBe(bytes);
    expect(chunk.hash).toEqual(new Uint8Array(createHash('sha256').update('abc').digest()));
  });

  test('is intact until a bit of it changes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), fc.nat(), (bytes, place) => {
        const chunk = createFileChunk(0, bytes);
        expect(isFileChunkIntact(chunk)).toBe(true);
        const changed = Uint8Array.from(bytes, (byte, at) => (at === place % bytes.length ? byte ^ 4 : byte));
        expect(isFileChunkIntact({ ...chunk, bytes: changed })).toBe(false);
      }),
    );
  });

  test('is read, its hash copied and its bytes not', () => {
    const hash = new Uint8Array(32).fill(7);
    const bytes = new Uint8Array(CHUNK_SIZE_BYTES);
    const chunk = parseFileChunk({ index: MAX_CHUNK_COUNT - 1, bytes, hash, comment: 'ignored' });
    expect(Object.keys(chunk)).toEqual(['index', 'bytes', 'hash']);
    expect(chunk.bytes).toBe(bytes);
    hash.fill(0);
    expect(chunk.hash).toEqual(new Uint8Array(32).fill(7));
  });

  test.each([
    ['an index below 0', { index: -1, bytes: new Uint8Array(1), hash: HASH }],
    ['half an index', { index: 0.5, bytes: new Uint8Array(1), hash: HASH }],
    ['an index as a text', { index: '0', bytes: new Uint8Array(1), hash: HASH }],
    ['an empty chunk behind the first', { index: 1, bytes: new Uint8Array(0), hash: HASH }],
    ['a short hash', { index: 0, bytes: new Uint8Array(1), hash: new Uint8Array(31) }],
    ['a long hash', { index: 0, bytes: new Uint8Array(1), hash: new Uint8Array(33) }],
    ['a hash of numbers', { index: 0, bytes: new Uint8Array(1), hash: Array.from(HASH) }],
    ['bytes of wider numbers', { index: 0, bytes: new Uint16Array(1), hash: HASH }],
    ['no bytes', { index: 0, hash: HASH }],
    ['no object', 'chunk'],
    ['null', null],
  ])('is refused with %s', (_, value) => {
    expectError('INVALID', () => parseFileChunk(value));
  });

  test.each([
    ['an index no file has', { index: MAX_CHUNK_COUNT, bytes: new Uint8Array(1), hash: HASH }],
    ['a byte too many', { index: 0, bytes: new Uint8Array(CHUNK_SIZE_BYTES + 1), hash: HASH }],
  ])('is too large with %s', (_, value) => {
    expectError('TOO_LARGE', () => parseFileChunk(value));
  });

  test('of a known file must have the length of its place', () => {
    const read = (index: number, length: number, sizeBytes: number) =>
      parseFileChunk({ index, bytes: new Uint8Array(length), hash: HASH }, sizeBytes);
    expect(read(0, 0, 0).bytes.length).toBe(0);
    expect(read(1, 5, CHUNK_SIZE_BYTES + 5).bytes.length).toBe(5);
    expectError('INVALID', () => read(0, 1, 0));
    expectError('INVALID', () => read(0, 5, CHUNK_SIZE_BYTES + 5));
    expectError('INVALID', () => read(1, 4, CHUNK_SIZE_BYTES + 5));
    expectError('INVALID', () => read(2, 5, CHUNK_SIZE_BYTES + 5));
    expectError('INVALID', () => read(1, 0, CHUNK_SIZE_BYTES));
  });

  test('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.record({ index: fc.anything(), bytes: fc.anything(), hash: fc.anything() }),
        ),
        (value) => {
          expectParserToHold(parseFileChunk, value);
        },
      ),
    );
  });
});
