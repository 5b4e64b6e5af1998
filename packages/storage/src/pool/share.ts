import {
  SEALED_FILE,
  sealSegmentInto,
  sealedSegmentSize,
  segmentOffset,
  segmentPlainSize,
} from '@coffer/crypto';
import type { FileKey } from '@coffer/crypto';
import { readSync } from 'node:fs';
import { openSizedSegment } from '../open-sized-segment.ts';
import type { OpenJob, SealJob, SegmentFailure } from './job.ts';
import { SLOT_SIZE_BYTES } from './ring.ts';
import type { Ring } from './ring.ts';

/** What one thread does of a job: segments that it has claimed, one after the other. */
export interface Share {
  /** Whether the main thread fills the slots. */
  readonly needsPlaintext: boolean;
  /** Does a segment whose slot is free or, with `needsPlaintext`, filled. `undefined`: all is well. */
  take(index: number): SegmentFailure | undefined;
}

/** `token` is for a sealed segment that has no place in the ring; the thread keeps it from one job to the next. */
export function shareOf(job: SealJob | OpenJob, ring: Ring, fileKey: FileKey, token: Uint8Array): Share {
  return job.kind === 'seal' ? sealShare(job, ring, fileKey, token) : openShare(job, ring, fileKey, token);
}

export function makeToken(): Uint8Array {
  return new Uint8Array(sealedSegmentSize(SLOT_SIZE_BYTES));
}

function sealShare({ source }: SealJob, ring: Ring, fileKey: FileKey, token: Uint8Array): Share {
  return {
    needsPlaintext: source === undefined,
    take(index) {
      if (source !== undefined) {
        const length = segmentPlainSize(index, source.sizeBytes);
        const start = index * SLOT_SIZE_BYTES;
        if (readFully(source.fd, ring.slot(index).subarray(0, length), start) < length)
          return { type: 'shrunk' };
        ring.markReady(index, length);
      }
      const plaintext = ring.plaintext(index);
      // The main thread gives the count before the plaintext of the last segment.
      const final = index + 1 === ring.count;
      const place = ring.tokenPlace(index);
      const size = sealSegmentInto(fileKey, { index, final, plaintext }, place ?? token);
      if (place === undefined) ring.putToken(index, token.subarray(0, size));
      ring.markDone(index);
      return undefined;
    },
  };
}

function openShare({ sizeBytes, sealedFd }: OpenJob, ring: Ring, fileKey: FileKey, token: Uint8Array): Share {
  return {
    needsPlaintext: false,
    take(index) {
      const sealed = token.subarray(0, sealedSegmentSize(segmentPlainSize(index, sizeBytes)));
      if (readFully(sealedFd, sealed, segmentOffset(index)) < sealed.length) {
        ring.markFailed(index);
        return { type: 'truncated', index };
      }
      const final = (index + 1) * SLOT_SIZE_BYTES >= sizeBytes;
      const plaintext = openSizedSegment(
        fileKey,
        { index, final, token: sealed },
        { sizeBytes, segmentSizeLog2: SEALED_FILE.SEGMENT_SIZE_LOG2 },
        ring.slot(index),
      );
      if (plaintext === undefined) {
        ring.markFailed(index);
        return { type: 'damaged', index };
      }
      ring.markReady(index, plaintext.length);
      return undefined;
    },
  };
}

/** Returns how many bytes there were, fewer than asked for only at the end of the file. */
function readFully(fd: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const bytesRead = readSync(fd, target, done, target.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
