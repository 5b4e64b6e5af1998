import { SEALED_FILE, sealedSegmentSize } from '@coffer/crypto';

/** Memory for one segment of a file, filled again for each. */
export interface SegmentBuffers {
  readonly token: Uint8Array;
  readonly plaintext: Uint8Array;
}

/** A pair that nobody uses. Made anew for each of many short reads, they would have V8 collect garbage twice as often. */
let spare: SegmentBuffers | undefined;

export function takeSegmentBuffers(segmentSizeLog2: number): SegmentBuffers {
  if (segmentSizeLog2 === SEALED_FILE.SEGMENT_SIZE_LOG2 && spare !== undefined) {
    const taken = spare;
    spare = undefined;
    return taken;
  }
  const sizeBytes = 2 ** segmentSizeLog2;
  return { token: new Uint8Array(sealedSegmentSize(sizeBytes)), plaintext: new Uint8Array(sizeBytes) };
}

/** Zeroes the plaintext, and keeps the pair for the next one who asks. */
export function giveBackSegmentBuffers(buffers: SegmentBuffers): void {
  buffers.plaintext.fill(0);
  if (buffers.plaintext.length === 2 ** SEALED_FILE.SEGMENT_SIZE_LOG2) spare = buffers;
}
