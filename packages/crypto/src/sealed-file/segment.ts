import { backend } from '#backend';
import type { KeyHalves } from '../aes-cbc-hmac.ts';
import { IV_SIZE_BYTES, splitKey } from '../aes-cbc-hmac.ts';
import { requireBytes, requireInteger } from '../argument.ts';
import { CryptoError, invalidToken } from '../errors.ts';
import { readFernetToken, writeFernetToken } from '../fernet.ts';
import { hkdfExpand } from '../hkdf.ts';
import { randomBytes } from '../random-bytes.ts';
import { fileKeyBytes } from './file-key.ts';
import type { FileKey } from './file-key.ts';
import { SEALED_FILE } from './format.ts';
import { sealedSegmentSize } from './layout.ts';

/** Which segment of its file. */
export interface SegmentPlace {
  readonly index: number;
  readonly final: boolean;
}

export interface SealSegmentInput extends SegmentPlace {
  readonly plaintext: Uint8Array;
  /** 16 bytes; random, and given only for test vectors. */
  readonly iv?: Uint8Array;
}

export interface OpenSegmentInput extends SegmentPlace {
  readonly token: Uint8Array;
}

const MAX_PLAIN_SIZE_BYTES = 2 ** SEALED_FILE.MAX_SEGMENT_SIZE_LOG2;
const MAX_INDEX = SEALED_FILE.MAX_FILE_SIZE_BYTES / 2 ** SEALED_FILE.MIN_SEGMENT_SIZE_LOG2 - 1;

// "coffer/segment/v1" ‖ index u64 ‖ final u8
const LABEL = new TextEncoder().encode('coffer/segment/v1');
const INFO_SIZE_BYTES = LABEL.length + 9;

/**
 * A segment as a Fernet token in binary, with time 0. A final segment has 1 to 2^24 bytes (0 only when it is the first), every other one
 * a power of two from 2^12 to 2^24.
 *
 * @throws CryptoError INVALID_ARGUMENT, DISPOSED
 */
export function sealSegment(key: FileKey, segment: SealSegmentInput): Uint8Array {
  requireBytes(segment.plaintext, 0, MAX_PLAIN_SIZE_BYTES, 'the plaintext of a segment');
  const token = new Uint8Array(sealedSegmentSize(segment.plaintext.length));
  sealSegmentInto(key, segment, token);
  return token;
}

/**
 * `sealSegment` into the beginning of `target`, which may be shared memory and must not overlap the plaintext. Returns the size of the
 * token.
 *
 * @throws CryptoError INVALID_ARGUMENT (also for a target that is too small), DISPOSED
 */
export function sealSegmentInto(key: FileKey, segment: SealSegmentInput, target: Uint8Array): number {
  const { index, final, plaintext, iv = randomBytes(IV_SIZE_BYTES) } = segment;
  requireIndex(index);
  requireBytes(plaintext, 0, MAX_PLAIN_SIZE_BYTES, 'the plaintext of a segment');
  if (!isSegmentSize(plaintext.length, segment)) {
    throw new CryptoError(
      'INVALID_ARGUMENT',
      final ? 'only an empty file has an empty segment' : 'a segment that is not final must be full',
    );
  }
  const size = sealedSegmentSize(plaintext.length);
  requireBytes(target, size, Number.MAX_SAFE_INTEGER, 'the target of a segment');
  withSegmentKey(key, segment, (keys) => {
    writeFernetToken(keys, plaintext, iv, 0n, target.subarray(0, size));
  });
  return size;
}

/**
 * The plaintext of a segment that is authentic, and was sealed for this place in this file.
 *
 * @throws CryptoError INVALID_TOKEN, whatever is wrong with it; INVALID_ARGUMENT for an impossible index; DISPOSED
 */
export function openSegment(key: FileKey, { token, ...place }: OpenSegmentInput): Uint8Array {
  requireIndex(place.index);
  const plaintext = withSegmentKey(key, place, (keys) =>
    readFernetToken(keys, token, MAX_PLAIN_SIZE_BYTES, (epochSeconds) => epochSeconds === 0n),
  );
  if (isSegmentSize(plaintext.length, place)) return plaintext;
  plaintext.fill(0);
  throw invalidToken();
}

/**
 * `openSegment` into the beginning of `target`, which may be shared memory and must not overlap the token. Returns the size of the plaintext; nothing
 * is written before the token is known to be authentic.
 *
 * @throws CryptoError as `openSegment`; INVALID_ARGUMENT for a target that is too small
 */
export function openSegmentInto(key: FileKey, segment: OpenSegmentInput, target: Uint8Array): number {
  const plaintext = openSegment(key, segment);
  const { length } = plaintext;
  try {
    requireBytes(target, length, Number.MAX_SAFE_INTEGER, 'the target of a segment');
    backend.copy(plaintext, target);
  } finally {
    backend.discard(plaintext);
  }
  return length;
}

/** RFC 5869 §3.3: the file key is uniform, so that extracting may be skipped; 32 bytes are one HMAC. */
function withSegmentKey<T>(key: FileKey, { index, final }: SegmentPlace, use: (keys: KeyHalves) => T): T {
  const info = new Uint8Array(INFO_SIZE_BYTES);
  info.set(LABEL);
  new DataView(info.buffer).setBigUint64(LABEL.length, BigInt(index));
  info[INFO_SIZE_BYTES - 1] = final ? 1 : 0;
  const segmentKey = hkdfExpand(fileKeyBytes(key), info, 32);
  try {
    return use(splitKey(segmentKey));
  } finally {
    segmentKey.fill(0);
  }
}

function isSegmentSize(sizeBytes: number, { index, final }: SegmentPlace): boolean {
  if (final) return sizeBytes > 0 || index === 0;
  return sizeBytes >= 2 ** SEALED_FILE.MIN_SEGMENT_SIZE_LOG2 && Number.isInteger(Math.log2(sizeBytes));
}

function requireIndex(index: number): void {
  requireInteger(index, 0, MAX_INDEX, 'the index of a segment');
}
