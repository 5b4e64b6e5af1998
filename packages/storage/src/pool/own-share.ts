import { FileKey } from '@coffer/crypto';
import { setImmediate } from 'node:timers/promises';
import { failureOf } from './job.ts';
import type { OpenJob, SealJob, SegmentFailure } from './job.ts';
import type { Ring } from './ring.ts';
import { makeToken, shareOf } from './share.ts';
import type { Share } from './share.ts';

/** So many segments, about 2 ms of work, are done before events are looked at. */
const SEGMENTS_PER_TURN = 4;

/**
 * The main thread's part of a job. It hashes what is ready, in order, and where it would only wait it takes a segment as the other threads do: so there are as many
 * threads as cores, and a job does not wait for threads to start.
 */
export class OwnShare implements Disposable {
  readonly #ring: Ring;
  readonly #fileKey: FileKey;
  readonly #share: Share;
  #failure: SegmentFailure | undefined;
  #takenInTurn = 0;

  constructor(job: SealJob | OpenJob, ring: Ring, token: Uint8Array = makeToken()) {
    this.#ring = ring;
    this.#fileKey = FileKey.fromBytes(job.fileKey);
    this.#share = shareOf(job, ring, this.#fileKey, token);
  }

  /** How a segment that was taken here went wrong. */
  get failure(): SegmentFailure | undefined {
    return this.#failure;
  }

  /** Works on segments until the one with this number is ready. `false` when the job was abandoned. */
  async untilReady(index: number): Promise<boolean> {
    while (!this.#ring.isReady(index)) {
      if (!(await this.#help())) return this.#ring.untilReady(index);
    }
    return !this.#ring.isAbandoned;
  }

  /** The same, until it is done. */
  async untilDone(index: number): Promise<boolean> {
    while (!this.#ring.isDone(index)) {
      if (!(await this.#help())) return this.#ring.untilDone(index);
    }
    return !this.#ring.isAbandoned;
  }

  /** `false` when there is nothing to take at the moment. */
  async #help(): Promise<boolean> {
    const index = this.#failure === undefined ? this.#ring.tryClaim(this.#share) : undefined;
    if (index === undefined) return false;
    try {
      this.#failure = this.#share.take(index);
    } catch (error) {
      this.#failure = failureOf(error);
    }
    // A bad segment ends the job when its turn comes; anything else ends it now.
    if (this.#failure !== undefined && !('index' in this.#failure)) this.#ring.abandon();
    if (++this.#takenInTurn >= SEGMENTS_PER_TURN) {
      this.#takenInTurn = 0;
      await setImmediate();
    }
    return true;
  }

  [Symbol.dispose](): void {
    this.#fileKey[Symbol.dispose]();
  }
}
