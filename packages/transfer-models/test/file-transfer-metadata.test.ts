import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHUNK_SIZE_BYTES,
  MAX_CHUNK_COUNT,
  MAX_FILE_SIZE_BYTES,
  chunkCount,
  parseFileTransferMetadata,
} from '../src/index.ts';
import { expectError, expectParserToHold } from './expect-error.ts';

const VALID = {
  fileId: '00112233445566778899aabbccddeeff',
  path: 'photos/beach.jpg',
  sizeBytes: CHUNK_SIZE_BYTES + 1,
  mimeType: 'image/jpeg',
  sha256: new Uint8Array(32).fill(9),
  chunkSizeBytes: CHUNK_SIZE_BYTES,
  chunkCount: 2,
};

test('what a sender says is read, and what is not known is dropped', () => {
  const metadata = parseFileTransferMetadata({ ...VALID, merkleTree: 'of a later version' });
  expect(metadata).toEqual(VALID);
  expect(metadata.sha256).not.toBe(VALID.sha256);
});

test('the largest file is read', () => {
  const largest = { ...VALID, sizeBytes: MAX_FILE_SIZE_BYTES, chunkCount: MAX_CHUNK_COUNT };
  expect(parseFileTransferMetadata(largest)).toEqual(largest);
});

test('an empty file has one chunk', () => {
  expect(parseFileTransferMetadata({ ...VALID, sizeBytes: 0, chunkCount: 1 }).chunkCount).toBe(1);
  expectError('INVALID', () => parseFileTransferMetadata({ ...VALID, sizeBytes: 0, chunkCount: 0 }));
});

test.each([
  'text/plain',
  'audio/ogg; codecs=opus',
  'text/plain;charset=utf-8',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'image/svg+xml',
  'X-Type/X.y_z-1',
])('the MIME type %j is read', (mimeType) => {
  expect(parseFileTransferMetadata({ ...VALID, mimeType }).mimeType).toBe(mimeType);
});

describe('metadata is refused with', () => {
  test.each([
    ['a short id', { fileId: '0011' }],
    ['an id in upper case', { fileId: VALID.fileId.toUpperCase() }],
    ['an id that is a path', { fileId: '../../../../../../../../../etc/pw' }],
    ['an id with a line break', { fileId: `${VALID.fileId}\n` }],
    ['a path that goes up', { path: '../x' }],
    ['a path that is no text', { path: 7 }],
    ['a negative size', { sizeBytes: -1 }],
    ['a size as a text', { sizeBytes: '5' }],
    ['a size that is no number', { sizeBytes: NaN }],
    ['a MIME type without a subtype', { mimeType: 'text' }],
    ['a MIME type with a line break', { mimeType: 'text/plain\n' }],
    ['a MIME type with an escape', { mimeType: 'text/plain; \x1b[2J' }],
    ['an empty MIME type', { mimeType: '' }],
    ['a hash in hexadecimal', { sha256: '09'.repeat(32) }],
    ['a short hash', { sha256: new Uint8Array(20) }],
    ['another chunk size', { chunkSizeBytes: 1024 * 1024 }],
    ['too few chunks', { chunkCount: 1 }],
    ['too many chunks', { chunkCount: 3 }],
  ])('%s', (_, change) => {
    expectError('INVALID', () => parseFileTransferMetadata({ ...VALID, ...change }));
  });

  test.each(Object.keys(VALID))('no %s', (property) => {
    expectError('INVALID', () => parseFileTransferMetadata({ ...VALID, [property]: undefined }));
  });

  test.each([undefined, null, 'x', [], () => VALID])('%j in its place', (value) => {
    expectError('INVALID', () => parseFileTransferMetadata(value));
  });
});

test.each([
  ['a larger file', { sizeBytes: MAX_FILE_SIZE_BYTES + 1 }],
  ['more chunks than any file has', { chunkCount: MAX_CHUNK_COUNT + 1 }],
  ['a longer MIME type', { mimeType: `text/plain;${'x'.repeat(250)}` }],
  ['a longer path', { path: 'x'.repeat(1025) }],
])('%s is too large', (_, change) => {
  expectError('TOO_LARGE', () => parseFileTransferMetadata({ ...VALID, ...change }));
});

test('a message names the property', () => {
  const message = expectError('INVALID', () => parseFileTransferMetadata({ ...VALID, fileId: 'x' }));
  expect(message).toBe("fileId of a file's metadata must be 32 lower-case hexadecimal digits");
});

test('the count of chunks must be that of the size, whatever the size', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 4 }), (size, off) => {
      const sizeBytes = size % (MAX_FILE_SIZE_BYTES - 5 * CHUNK_SIZE_BYTES);
      const metadata = { ...VALID, sizeBytes, chunkCount: chunkCount(sizeBytes) + off };
      if (off === 0) expect(parseFileTransferMetadata(metadata)).toEqual(metadata);
      else expectError('INVALID', () => parseFileTransferMetadata(metadata));
    }),
  );
});

test('what was read is read again the same', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 2 ** 31 - 1 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (sizeBytes, sha256) => {
        const once = parseFileTransferMetadata({
          ...VALID,
          sizeBytes,
          chunkCount: chunkCount(sizeBytes),
          sha256,
        });
        expect(parseFileTransferMetadata(once)).toEqual(once);
      },
    ),
  );
});

test('any value at all is read or refused', () => {
  const nearly = fc
    .dictionary(fc.constantFrom(...Object.keys(VALID)), fc.anything())
    .map((change) => ({ ...VALID, ...change }));
  fc.assert(
    fc.property(fc.oneof(fc.anything({ withNullPrototype: true }), nearly), (value) => {
      expectParserToHold(parseFileTransferMetadata, value);
    }),
  );
});
