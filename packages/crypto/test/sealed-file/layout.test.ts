import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { node as crypto } from '../backends.ts';
import { codeOf } from '../support.ts';

const log2s = fc.integer({ min: 12, max: 24 });
const sizes = fc.oneof(fc.nat({ max: 2 ** 20 }), fc.integer({ min: 0, max: 2 ** 44 }));

describe('the layout of a sealed file', () => {
  // size, segments, size of the file, with segments of 256 KiB: 73 bytes each for a full one
  it.each([
    [0, 1, 8192 + 73],
    [1, 1, 8192 + 73],
    [15, 1, 8192 + 73],
    [16, 1, 8192 + 89],
    [262_143, 1, 8192 + 262_144 + 57],
    [262_144, 1, 8192 + 262_144 + 73],
    [262_145, 2, 8192 + 262_144 + 73 + 73],
    [2 ** 44, 2 ** 26, 8192 + 2 ** 26 * (262_144 + 73)],
  ])('of %s bytes has %s segments and %s bytes', (size, count, fileSize) => {
    expect(crypto.segmentCount(size)).toBe(count);
    expect(crypto.sealedFileSize(size)).toBe(fileSize);
  });

  it('has segments that follow each other without a gap and hold all bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.integer({ min: 12, max: 15 }), (size, log2) => {
        let offset = 8192;
        let held = 0;
        for (let index = 0; index < crypto.segmentCount(size, log2); index++) {
          expect(crypto.segmentOffset(index, log2)).toBe(offset);
          const plainSize = crypto.segmentPlainSize(index, size, log2);
          expect(plainSize).toBeLessThanOrEqual(2 ** log2);
          offset += crypto.sealedSegmentSize(plainSize);
          held += plainSize;
        }
        expect(held).toBe(size);
        expect(crypto.sealedFileSize(size, log2)).toBe(offset);
      }),
    );
  });

  it('can be told from the length of the file', () => {
    fc.assert(
      fc.property(sizes, log2s, (size, log2) => {
        const count = crypto.segmentCount(size, log2);
        expect(crypto.sealedFileShape(crypto.sealedFileSize(size, log2), log2)).toEqual({
          segmentCount: count,
          finalTokenSizeBytes: crypto.sealedSegmentSize(crypto.segmentPlainSize(count - 1, size, log2)),
        });
      }),
    );
  });

  it('says what a full segment is longer than its plaintext', () => {
    const { SEGMENT_OVERHEAD_BYTES, SEGMENT_SIZE_LOG2 } = crypto.SEALED_FILE;
    expect(crypto.sealedSegmentSize(2 ** SEGMENT_SIZE_LOG2)).toBe(
      2 ** SEGMENT_SIZE_LOG2 + SEGMENT_OVERHEAD_BYTES,
    );
  });

  it.each([0, 8191, 8192, 8193, 8192 + 72, 8192 + 74, 8192 + 262_217 + 1, 8192 + 262_217 + 72, 2 ** 45])(
    'is not that of a file of %s bytes',
    (fileSize) => {
      expect(codeOf(() => crypto.sealedFileShape(fileSize))).toBe('INVALID_TOKEN');
    },
  );

  it('ends at 2^44 bytes, and has no negative or broken numbers', () => {
    const wrong = [
      () => crypto.segmentCount(-1),
      () => crypto.segmentCount(0.5),
      () => crypto.segmentCount(2 ** 44 + 1),
      () => crypto.segmentCount(1, 11),
      () => crypto.segmentCount(1, 25),
      () => crypto.segmentPlainSize(1, 262_144),
      () => crypto.segmentPlainSize(-1, 262_144),
      () => crypto.segmentOffset(-1),
      () => crypto.segmentOffset(2 ** 26 + 1),
      () => crypto.sealedSegmentSize(2 ** 24 + 1),
      () => crypto.sealedFileShape(8265.5),
    ];
    for (const use of wrong) expect(codeOf(use)).toBe('INVALID_ARGUMENT');
  });
});
