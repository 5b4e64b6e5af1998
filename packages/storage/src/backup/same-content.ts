import { sealedSegmentSize, segmentCount, segmentOffset, segmentPlainSize } from '@coffer/crypto';
import type { FileKey } from '@coffer/crypto';
import type { FileRow } from '@coffer/database';
import type { FileHandle } from 'node:fs/promises';
import { openSizedSegment } from '../open-sized-segment.ts';

/**
 * Whether a sealed file, whatever its header says, was sealed under this file key: its first segment is authentic under it. Content never changes under one
 * file key, so such a file needs only the header that goes with the key. (Sealing again keeps the id and makes a new file key.)
 */
export async function isSealedUnder(
  handle: FileHandle,
  { fileKey, segmentSizeLog2 }: { readonly fileKey: FileKey; readonly segmentSizeLog2: number },
  { sizeBytes }: FileRow,
): Promise<boolean> {
  const plainSize = segmentPlainSize(0, sizeBytes, segmentSizeLog2);
  const token = new Uint8Array(sealedSegmentSize(plainSize));
  const { bytesRead } = await handle.read(token, 0, token.length, segmentOffset(0, segmentSizeLog2));
  if (bytesRead < token.length) return false;
  const final = segmentCount(sizeBytes, segmentSizeLog2) === 1;
  const target = new Uint8Array(plainSize);
  const plaintext = openSizedSegment(
    fileKey,
    { index: 0, final, token },
    { sizeBytes, segmentSizeLog2 },
    target,
  );
  target.fill(0);
  return plaintext !== undefined;
}
