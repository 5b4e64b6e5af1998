import { sealedSegmentSize, segmentOffset } from '@coffer/crypto';
import { BLOCK_SIZE_BYTES } from '../output-file.ts';
import type { OutputFile } from '../output-file.ts';
import { SLOT_SIZE_BYTES } from './ring.ts';
import type { Ring } from './ring.ts';

/** A write is at least so large, but for the last one, and at most so large. */
const MIN_WRITE_BYTES = 1024 * 1024;
const MAX_WRITE_BYTES = 4 * 1024 * 1024;
/** One is on its way to the disk while the next one waits for it in the kernel, and not for this thread to come round. */
const MAX_WRITES = 2;

interface RunningWrite {
  /** Behind it in the file. */
  readonly end: number;
  isDone: boolean;
  ended: Promise<void>;
}

/** Which bytes of the ring go to the file, and where. */
export type WrittenPart = 'plaintext' | 'tokens';

interface RingWriterOptions {
  readonly ring: Ring;
  readonly part: WrittenPart;
  readonly file: OutputFile;
  /** The first segment of the job. */
  readonly first: number;
  /** Called after each write. */
  readonly onWritten: () => void;
}

/**
 * Writes what threads have done to a file, from its beginning to its end, in a few large pieces: two threads that write to one file wait for its
 * lock in the kernel. The ring lies in memory as the file does on the disk, so that whole blocks can go directly.
 */
export class RingWriter {
  readonly #ring: Ring;
  readonly #file: OutputFile;
  readonly #memory: Uint8Array;
  readonly #part: WrittenPart;
  readonly #onWritten: () => void;
  /** The first segment that is not done yet, and the offset in the file behind those before it. */
  #doneSegments: number;
  #doneOffset: number;
  /** Everything before it has been handed to the system. */
  #begunOffset: number;
  /** The first segment that is not written in full yet, and the offset up to which everything is written. */
  #writtenSegments: number;
  #writtenOffset: number;
  /** In the order of the file. */
  readonly #running: RunningWrite[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor({ ring, part, file, first, onWritten }: RingWriterOptions) {
    this.#ring = ring;
    this.#file = file;
    this.#part = part;
    this.#onWritten = onWritten;
    this.#memory = new Uint8Array(part === 'tokens' ? ring.memory.tokens : ring.memory.plaintext);
    this.#doneSegments = this.#writtenSegments = first;
    this.#doneOffset = this.#begunOffset = this.#writtenOffset = this.#offsetOf(first);
  }

  /** All segments before this one are in the file. */
  get writtenSegments(): number {
    return this.#writtenSegments;
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Whether all segments are in the file. */
  get isFinished(): boolean {
    return this.#writtenSegments === this.#ring.count && this.#running.length === 0;
  }

  /** Begins to write what is done, if that is enough and not too much is being written. */
  pump(): void {
    this.#noteDone();
    // What was cancelled, or has failed, is thrown away.
    while (this.#running.length < MAX_WRITES && !this.#ring.isAbandoned) {
      const isAll = this.#doneSegments === this.#ring.count;
      // A block that is begun is written when it is whole.
      const end = isAll ? this.#doneOffset : roundDown(this.#doneOffset, BLOCK_SIZE_BYTES);
      const available = end - this.#begunOffset;
      if (available <= 0 || (available < MIN_WRITE_BYTES && !isAll)) return;
      const most = roundDown(this.#begunOffset + MAX_WRITE_BYTES, BLOCK_SIZE_BYTES) - this.#begunOffset;
      const place = this.#begunOffset % this.#memory.length;
      const length = Math.min(available, most, this.#memory.length - place);
      this.#begin(this.#memory.subarray(place, place + length));
    }
  }

  /** Resolves when nothing is being written: before descriptors are closed and memory is used for something else. */
  async idle(): Promise<void> {
    while (this.#running.length > 0) await Promise.all(this.#running.map(({ ended }) => ended));
  }

  #begin(bytes: Uint8Array): void {
    const write: RunningWrite = {
      end: this.#begunOffset + bytes.length,
      isDone: false,
      ended: Promise.resolve(),
    };
    write.ended = this.#file
      .writeBlocks(bytes, this.#begunOffset)
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#ring.abandon();
      })
      .then(() => {
        write.isDone = true;
        this.#noteWritten();
      });
    this.#begunOffset = write.end;
    this.#running.push(write);
  }

  #noteWritten(): void {
    for (let first = this.#running[0]; first?.isDone === true; first = this.#running[0]) {
      this.#running.shift();
      if (this.#failure === undefined) this.#writtenOffset = first.end;
    }
    while (
      this.#writtenSegments < this.#doneSegments &&
      this.#endOf(this.#writtenSegments) <= this.#writtenOffset
    )
      this.#writtenSegments++;
    this.#onWritten();
    this.#ring.noteEvent();
  }

  #noteDone(): void {
    for (const ring = this.#ring; this.#isDone(this.#doneSegments); this.#doneSegments++) {
      this.#doneOffset = this.#offsetOf(this.#doneSegments) + this.#sizeOf(ring.lengthOf(this.#doneSegments));
    }
  }

  #isDone(index: number): boolean {
    const ring = this.#ring;
    if (ring.count !== undefined && index >= ring.count) return false;
    return this.#part === 'tokens' ? ring.isDone(index) : ring.isReady(index) && !ring.hasFailed(index);
  }

  #endOf(index: number): number {
    return index === this.#doneSegments - 1 ? this.#doneOffset : this.#offsetOf(index + 1);
  }

  #offsetOf(index: number): number {
    return this.#part === 'tokens' ? segmentOffset(index) : index * SLOT_SIZE_BYTES;
  }

  #sizeOf(plainSizeBytes: number): number {
    return this.#part === 'tokens' ? sealedSegmentSize(plainSizeBytes) : plainSizeBytes;
  }
}

function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
