import { FileKey } from '@coffer/crypto';
import { setImmediate } from 'node:timers/promises';
import { failureOf } from './job.ts';
import type { OpenJob, SealJob, SegmentFailure } from './job.ts';
import { RingWriter } from './ring-writer.ts';
import type { WrittenPart } from './ring-writer.ts';
import type { OutputFile } from '../output-file.ts';
import type { Ring } from './ring.ts';
import { shareOf } from './share.ts';
import type { Share } from './share.ts';

/** So many steps, each a segment or a wait for one, are done before the system's answers are looked at: about 1 ms of work. */
const STEPS_PER_TURN = 4;

interface OwnShareOptions {
  readonly ring: Ring;
  /** The first segment of the job. */
  readonly first: number;
  /** Where the tokens or the plaintext go. */
  readonly output: OutputFile | undefined;
  readonly token: Uint8Array;
}

/**
 * The main thread's part of a job. It consumes what is ready, in order, keeps the writer busy, and where it would only wait it takes a segment as the other threads do: so there
 * are as many threads as cores, and a job does not wait for threads to start.
 */
export class OwnShare implements Disposable {
  readonly #ring: Ring;
  readonly #writer: RingWriter | undefined;
  readonly #fileKey: FileKey;
  readonly #share: Share;
  #failure: SegmentFailure | undefined;
  #consumed: number;
  #steps = 0;

  constructor(job: SealJob | OpenJob, { ring, first, output, token }: OwnShareOptions) {
    this.#ring = ring;
    this.#consumed = first;
    if (output !== undefined) {
      const part: WrittenPart = job.kind === 'seal' ? 'tokens' : 'plaintext';
      this.#writer = new RingWriter({
        ring,
        part,
        file: output,
        first,
        onWritten: () => {
          this.#settle();
        },
      });
    }
    this.#fileKey = FileKey.fromBytes(job.fileKey);
    this.#share = shareOf(job, ring, this.#fileKey, token);
  }

  /** How a segment that was taken here went wrong. */
  get failure(): SegmentFailure | undefined {
    return this.#failure;
  }

  /** Why the writing ended early. */
  get writeFailure(): { readonly error: unknown } | undefined {
    return this.#writer?.failure;
  }

  /** Whether everything that is to be written is. */
  get isWritten(): boolean {
    return this.#writer?.isFinished ?? true;
  }

  /** Resolves when the memory of the ring and the descriptor of the file are not used any more. */
  async idle(): Promise<void> {
    await this.#writer?.idle();
  }

  /** Says that the segment, and all before it, are used. */
  markConsumed(index: number): void {
    this.#consumed = index + 1;
    this.#settle();
  }

  /** Works until `isTrue`, and waits where there is nothing to do. `false` when the job was abandoned. */
  async until(isTrue: () => boolean): Promise<boolean> {
    const ring = this.#ring;
    while (!ring.isAbandoned) {
      const seen = ring.events;
      this.#settle();
      if (++this.#steps >= STEPS_PER_TURN) {
        this.#steps = 0;
        await setImmediate();
      } else if (isTrue()) return true;
      else if (!this.#help()) await ring.untilEvent(seen);
    }
    return false;
  }

  /** What is used and, if it goes to a file, written may be filled again. */
  #settle(): void {
    this.#writer?.pump();
    const behind = Math.min(this.#consumed, this.#writer?.writtenSegments ?? Infinity);
    this.#ring.setConsumed(behind);
  }

  /** `false` when there is nothing to take at the moment. */
  #help(): boolean {
    const index = this.#failure === undefined ? this.#ring.tryClaim(this.#share) : undefined;
    if (index === undefined) return false;
    try {
      this.#failure = this.#share.take(index);
    } catch (error) {
      this.#failure = failureOf(error);
    }
    // A bad segment ends the job when its turn comes; anything else ends it now.
    if (this.#failure !== undefined && !('index' in this.#failure)) this.#ring.abandon();
    return true;
  }

  [Symbol.dispose](): void {
    this.#fileKey[Symbol.dispose]();
  }
}
