import { CryptoError, openSegmentInto, segmentPlainSize } from '@coffer/crypto';
import type { FileKey, SegmentPlace } from '@coffer/crypto';

/**
 * Opens segment `index` of a file of `sizeBytes` into the beginning of `target`, and returns that part of it; `undefined` when the segment is not authentic
 * or has another size, and then `target` holds nothing of it. (A token's length tells the size of what is in it only to 16 bytes: docs/spec/sealed-file.md, §8.3.)
 */
export function openSizedSegment(
  fileKey: FileKey,
  place: SegmentPlace & { readonly token: Uint8Array },
  file: { readonly sizeBytes: number; readonly segmentSizeLog2: number },
  target: Uint8Array,
): Uint8Array | undefined {
  let size;
  try {
    size = openSegmentInto(fileKey, place, target);
  } catch (error) {
    // INVALID_ARGUMENT: it is authentic, and larger than any segment of this file may be.
    if (error instanceof CryptoError && error.code !== 'DISPOSED') return undefined;
    throw error;
  }
  const plaintext = target.subarray(0, size);
  if (size === segmentPlainSize(place.index, file.sizeBytes, file.segmentSizeLog2)) return plaintext;
  plaintext.fill(0);
  return undefined;
}
