import { CryptoError, openSegment, segmentPlainSize } from '@coffer/crypto';
import type { FileKey, SegmentPlace } from '@coffer/crypto';

/**
 * Opens segment `index` of a file of `sizeBytes`; `undefined` when it is not authentic or has another size. (A token's length tells the size
 * of what is in it only to 16 bytes: docs/spec/sealed-file.md, §8.3.)
 */
export function openSizedSegment(
  fileKey: FileKey,
  place: SegmentPlace,
  token: Uint8Array,
  file: { readonly sizeBytes: number; readonly segmentSizeLog2: number },
): Uint8Array | undefined {
  let plaintext;
  try {
    plaintext = openSegment(fileKey, { ...place, token });
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'INVALID_TOKEN') return undefined;
    throw error;
  }
  if (plaintext.length === segmentPlainSize(place.index, file.sizeBytes, file.segmentSizeLog2))
    return plaintext;
  plaintext.fill(0);
  return undefined;
}
