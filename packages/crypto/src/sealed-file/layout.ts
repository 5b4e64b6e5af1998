import { sealedSize } from '../aes-cbc-hmac.ts';
import { requireInteger } from '../argument.ts';
import { CryptoError, invalidToken } from '../errors.ts';
import { FERNET_PREFIX_SIZE_BYTES } from '../fernet.ts';
import { SEALED_FILE } from './format.ts';

// Where things are in a sealed file (docs/spec/sealed-file.md §6). `sizeBytes` is the size of the plaintext; every function throws
// CryptoError INVALID_ARGUMENT for what no sealed file has.

/** At least 1: an empty file has one empty segment. */
export function segmentCount(sizeBytes: number, log2: number = SEALED_FILE.SEGMENT_SIZE_LOG2): number {
  requireFileSize(sizeBytes);
  requireLog2(log2);
  return Math.max(1, Math.ceil(sizeBytes / 2 ** log2));
}

/** All are full, but for the final one. */
export function segmentPlainSize(
  index: number,
  sizeBytes: number,
  log2: number = SEALED_FILE.SEGMENT_SIZE_LOG2,
): number {
  const count = segmentCount(sizeBytes, log2);
  requireInteger(index, 0, count - 1, 'the index of the segment');
  return index < count - 1 ? 2 ** log2 : sizeBytes - index * 2 ** log2;
}

/** From the beginning of the file. */
export function segmentOffset(index: number, log2: number = SEALED_FILE.SEGMENT_SIZE_LOG2): number {
  requireLog2(log2);
  requireInteger(index, 0, SEALED_FILE.MAX_FILE_SIZE_BYTES / 2 ** log2, 'the index of the segment');
  return SEALED_FILE.HEADER_SIZE_BYTES + index * tokenSize(2 ** log2);
}

/** The size of the token that holds a segment of `plainSizeBytes`. */
export function sealedSegmentSize(plainSizeBytes: number): number {
  requireInteger(plainSizeBytes, 0, 2 ** SEALED_FILE.MAX_SEGMENT_SIZE_LOG2, 'the size of a segment');
  return tokenSize(plainSizeBytes);
}

/** Header and all segments. */
export function sealedFileSize(sizeBytes: number, log2: number = SEALED_FILE.SEGMENT_SIZE_LOG2): number {
  const last = segmentCount(sizeBytes, log2) - 1;
  return segmentOffset(last, log2) + tokenSize(segmentPlainSize(last, sizeBytes, log2));
}

/** What a reader can tell of a sealed file by its length alone. */
export interface SealedFileShape {
  readonly segmentCount: number;
  readonly finalTokenSizeBytes: number;
}

/**
 * The segments of a sealed file of `fileSizeBytes`, for a reader that does not know the size of the plaintext. Only when the final segment
 * has been opened as final is this count the true one.
 *
 * @throws CryptoError INVALID_TOKEN for a length that no sealed file has: a bare header, a part of a token
 */
export function sealedFileShape(
  fileSizeBytes: number,
  log2: number = SEALED_FILE.SEGMENT_SIZE_LOG2,
): SealedFileShape {
  requireLog2(log2);
  if (!Number.isSafeInteger(fileSizeBytes)) {
    throw new CryptoError('INVALID_ARGUMENT', 'the size of a file must be a whole number');
  }
  const fullSize = tokenSize(2 ** log2);
  const tokensSize = fileSizeBytes - SEALED_FILE.HEADER_SIZE_BYTES;
  const count = Math.ceil(tokensSize / fullSize);
  const finalTokenSizeBytes = tokensSize - (count - 1) * fullSize;
  // The smallest size of a token is that of an empty message, and all differ by whole blocks.
  const possible =
    count >= 1 &&
    count <= SEALED_FILE.MAX_FILE_SIZE_BYTES / 2 ** log2 &&
    finalTokenSizeBytes >= tokenSize(0) &&
    (finalTokenSizeBytes - tokenSize(0)) % 16 === 0;
  if (!possible) throw invalidToken();
  return { segmentCount: count, finalTokenSizeBytes };
}

export function requireLog2(log2: number): void {
  const { MIN_SEGMENT_SIZE_LOG2, MAX_SEGMENT_SIZE_LOG2 } = SEALED_FILE;
  requireInteger(log2, MIN_SEGMENT_SIZE_LOG2, MAX_SEGMENT_SIZE_LOG2, 'log2 of the segment size');
}

function requireFileSize(sizeBytes: number): void {
  requireInteger(sizeBytes, 0, SEALED_FILE.MAX_FILE_SIZE_BYTES, 'the size of a file');
}

function tokenSize(plainSizeBytes: number): number {
  return sealedSize(FERNET_PREFIX_SIZE_BYTES, plainSizeBytes);
}
