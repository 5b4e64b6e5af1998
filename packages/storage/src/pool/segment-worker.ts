// A thread of the pool: takes its share of the segments of one file at a time, and blocks whenever there is nothing to do.
import {
  FileKey,
  SEALED_FILE,
  sealSegmentInto,
  sealedSegmentSize,
  segmentOffset,
  segmentPlainSize,
} from '@coffer/crypto';
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { errnoOf } from '../errors.ts';
import { openSizedSegment } from '../open-sized-segment.ts';
import { writeFully } from '../write-fully.ts';
import type { JobResult, OpenJob, SealJob, SegmentJob } from './job.ts';
import { Ring, SLOT_SIZE_BYTES } from './ring.ts';

const token = new Uint8Array(sealedSegmentSize(SLOT_SIZE_BYTES));

parentPort?.on('message', (job: SegmentJob) => {
  parentPort?.postMessage(run(job));
});

function run(job: SegmentJob): JobResult {
  const ring = new Ring(job.memory);
  const fileKey = FileKey.fromBytes(job.fileKey);
  job.fileKey.fill(0);
  try {
    return job.kind === 'seal' ? sealShare(job, ring, fileKey) : openShare(job, ring, fileKey);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { type: 'failed', errno: errnoOf(error), message };
  } finally {
    fileKey[Symbol.dispose]();
  }
}

function sealShare({ source, sealedFd }: SealJob, ring: Ring, fileKey: FileKey): JobResult {
  for (;;) {
    const index = ring.claim();
    const { count } = ring;
    if (count !== undefined && index >= count) return { type: 'done' };
    if (source === undefined) {
      if (!ring.waitForPlaintext(index)) return { type: 'done' };
    } else {
      if (!ring.waitForSlot(index, { needsDone: true })) return { type: 'done' };
      const length = segmentPlainSize(index, source.sizeBytes);
      const start = index * SLOT_SIZE_BYTES;
      if (readFully(source.fd, ring.slot(index).subarray(0, length), start) < length)
        return { type: 'shrunk' };
      ring.markReady(index, length);
    }
    const plaintext = ring.plaintext(index);
    // The main thread gives the count before the plaintext of the last segment.
    const final = index + 1 === ring.count;
    const size = sealSegmentInto(fileKey, { index, final, plaintext }, token);
    writeFully(sealedFd, token.subarray(0, size), segmentOffset(index));
    ring.markDone(index);
  }
}

function openShare({ sizeBytes, sealedFd, targetFd }: OpenJob, ring: Ring, fileKey: FileKey): JobResult {
  for (;;) {
    const index = ring.claim();
    const { count = 0 } = ring;
    if (index >= count || !ring.waitForSlot(index, { needsDone: false })) return { type: 'done' };
    const sealed = token.subarray(0, sealedSegmentSize(segmentPlainSize(index, sizeBytes)));
    if (readFully(sealedFd, sealed, segmentOffset(index)) < sealed.length) {
      ring.markFailed(index);
      return { type: 'truncated', index };
    }
    const final = (index + 1) * SLOT_SIZE_BYTES >= sizeBytes;
    const plaintext = openSizedSegment(fileKey, { index, final }, sealed, {
      sizeBytes,
      segmentSizeLog2: SEALED_FILE.SEGMENT_SIZE_LOG2,
    });
    if (plaintext === undefined) {
      ring.markFailed(index);
      return { type: 'damaged', index };
    }
    if (targetFd !== undefined) writeFully(targetFd, plaintext, index * SLOT_SIZE_BYTES);
    ring.slot(index).set(plaintext);
    ring.markReady(index, plaintext.length);
    plaintext.fill(0);
  }
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
