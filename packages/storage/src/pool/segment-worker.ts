// A thread of the pool: takes its share of the segments of one file at a time, and blocks whenever there is nothing to do.
import { FileKey } from '@coffer/crypto';
import { parentPort } from 'node:worker_threads';
import { failureOf } from './job.ts';
import type { JobResult, SegmentJob } from './job.ts';
import { Ring } from './ring.ts';
import { makeToken, shareOf } from './share.ts';

const token = makeToken();

parentPort?.on('message', (job: SegmentJob) => {
  parentPort?.postMessage(run(job));
});

function run(job: SegmentJob): JobResult {
  const ring = new Ring(job.memory);
  const fileKey = FileKey.fromBytes(job.fileKey);
  job.fileKey.fill(0);
  try {
    const share = shareOf(job, ring, fileKey, token);
    for (;;) {
      const index = ring.claim();
      const { count } = ring;
      if (count !== undefined && index >= count) return { type: 'done' };
      const isThere = share.needsPlaintext ? ring.waitForPlaintext(index) : ring.waitForSlot(index);
      if (!isThere) return { type: 'done' };
      const failure = share.take(index);
      if (failure !== undefined) return failure;
    }
  } catch (error) {
    return failureOf(error);
  } finally {
    fileKey[Symbol.dispose]();
  }
}
