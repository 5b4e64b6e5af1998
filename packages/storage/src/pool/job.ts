import { errnoOf } from '../errno.ts';
import type { RingMemory } from './ring.ts';

/** What workers do with one file. Descriptors belong to the process, so workers use those of the main thread. */
interface Job {
  readonly memory: RingMemory;
  /** 32 bytes; the worker zeroes its copy. */
  readonly fileKey: Uint8Array;
}

export interface SealJob extends Job {
  readonly kind: 'seal';
  /** Where workers read the plaintext themselves; without it the main thread fills the ring. */
  readonly source: { readonly fd: number; readonly sizeBytes: number } | undefined;
}

export interface OpenJob extends Job {
  readonly kind: 'open';
  readonly sealedFd: number;
  readonly sizeBytes: number;
}

export type SegmentJob = SealJob | OpenJob;

/** How a worker's part of a job ended. */
export type JobResult =
  | { readonly type: 'done' }
  /** The segment's token is not authentic. */
  | { readonly type: 'damaged'; readonly index: number }
  /** The sealed file ended within the segment. */
  | { readonly type: 'truncated'; readonly index: number }
  /** The source had fewer bytes than it began with. */
  | { readonly type: 'shrunk' }
  /** The operating system refused something. */
  | { readonly type: 'failed'; readonly errno: string | undefined; readonly message: string };

export type SegmentFailure = Exclude<JobResult, { type: 'done' }>;

export function failureOf(error: unknown): SegmentFailure {
  return {
    type: 'failed',
    errno: errnoOf(error),
    message: error instanceof Error ? error.message : String(error),
  };
}
