import { sealedSegmentSize, segmentOffset } from '@coffer/crypto';
import { allocateShared } from './aligned-memory.ts';

/** How long a thread sleeps before it looks again whether the work was abandoned, even if nobody wakes it. */
const WATCH_MS = 100;

/** Plaintext of one segment. */
export const SLOT_SIZE_BYTES: number = 256 * 1024;
/** 16 MiB in flight: enough to keep the threads busy while the disk or the reader hesitates. */
const SLOT_COUNT = 64;

/** Room for the tokens of as many segments, and a whole number of blocks. */
const TOKENS_SIZE_BYTES: number = roundUp(SLOT_COUNT * sealedSegmentSize(SLOT_SIZE_BYTES), 65_536);

// Words of the shared state.
const NEXT = 0;
const CONSUMED = 1;
const COUNT = 2;
const ABANDONED = 3;
const WAITING = 4;
const EVENTS = 5;
const FIRST_SLOT = 6;
const WORDS_PER_SLOT = 3;
const [READY, DONE, LENGTH] = [0, 1, 2];

const UNKNOWN = -1;
const FAILED = -1;

export interface RingMemory {
  readonly words: SharedArrayBuffer;
  readonly plaintext: SharedArrayBuffer;
  readonly tokens: SharedArrayBuffer;
}

/**
 * The memory that the main thread and the workers share while one file is sealed or opened: a ring of segments' plaintext, one of their
 * tokens, and words that say how far each is. The plaintext of segment n is in slot n mod 64, its token where its place in the file is, modulo
 * the size of that ring. Keys are never in it.
 *
 * Threads claim segments by number. A segment's places are used again when all segments up to it were consumed: hashed and, where they go to a
 * file, written.
 */
export class Ring {
  readonly memory: RingMemory;
  readonly #words: Int32Array;
  readonly #plaintext: Uint8Array;
  readonly #tokens: Uint8Array;

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.#words = new Int32Array(memory.words);
    this.#plaintext = new Uint8Array(memory.plaintext);
    this.#tokens = new Uint8Array(memory.tokens);
  }

  static allocate(): Ring {
    const words = new SharedArrayBuffer(4 * (FIRST_SLOT + SLOT_COUNT * WORDS_PER_SLOT));
    return new Ring({
      words,
      plaintext: allocateShared(SLOT_COUNT * SLOT_SIZE_BYTES),
      tokens: allocateShared(TOKENS_SIZE_BYTES),
    });
  }

  /** Before a job. `first` is the number of its first segment, `count` that behind its last one, if it is known. */
  reset(first: number, count: number | undefined): void {
    this.#words.fill(0);
    this.#words[NEXT] = first;
    this.#words[CONSUMED] = first;
    this.#words[COUNT] = count ?? UNKNOWN;
  }

  /** After a job: nothing of a file stays in memory longer than it must. */
  clear(): void {
    this.#plaintext.fill(0);
  }

  /** Of the segment's slot. */
  plaintext(index: number): Uint8Array {
    const start = (index % SLOT_COUNT) * SLOT_SIZE_BYTES;
    return this.#plaintext.subarray(start, start + this.lengthOf(index));
  }

  /** The whole slot, to be filled. */
  slot(index: number): Uint8Array {
    const start = (index % SLOT_COUNT) * SLOT_SIZE_BYTES;
    return this.#plaintext.subarray(start, start + SLOT_SIZE_BYTES);
  }

  /** Plaintext bytes of a segment that is ready. */
  lengthOf(index: number): number {
    return Atomics.load(this.#words, this.#at(index, LENGTH));
  }

  /** Where the segment's token goes, at most that of a full one; `undefined` where the ring's end cuts it: then `putToken` takes it. */
  tokenPlace(index: number): Uint8Array | undefined {
    const start = segmentOffset(index) % TOKENS_SIZE_BYTES;
    const end = start + sealedSegmentSize(SLOT_SIZE_BYTES);
    return end <= TOKENS_SIZE_BYTES ? this.#tokens.subarray(start, end) : undefined;
  }

  putToken(index: number, token: Uint8Array): void {
    const start = segmentOffset(index) % TOKENS_SIZE_BYTES;
    const head = token.subarray(0, TOKENS_SIZE_BYTES - start);
    this.#tokens.set(head, start);
    this.#tokens.set(token.subarray(head.length), 0);
  }

  get isAbandoned(): boolean {
    return Atomics.load(this.#words, ABANDONED) !== 0;
  }

  /** Ends the job for everybody. */
  abandon(): void {
    Atomics.store(this.#words, ABANDONED, 1);
    for (let word = 0; word < this.#words.length; word++) Atomics.notify(this.#words, word);
  }

  /** The number of segments, once it is known. */
  get count(): number | undefined {
    const count = Atomics.load(this.#words, COUNT);
    return count === UNKNOWN ? undefined : count;
  }

  /** For a source whose length was not known: now it is. */
  setCount(count: number): void {
    Atomics.store(this.#words, COUNT, count);
    // Workers may be waiting for segments that will never be.
    for (let slot = 0; slot < SLOT_COUNT; slot++) Atomics.notify(this.#words, this.#at(slot, READY));
  }

  /** A worker's next segment. */
  claim(): number {
    return Atomics.add(this.#words, NEXT, 1);
  }

  /**
   * The next segment for a thread that must not block: only one whose slot may be filled now or, with `needsPlaintext`, has been filled.
   * `undefined` when there is none.
   */
  tryClaim({ needsPlaintext }: { readonly needsPlaintext: boolean }): number | undefined {
    const next = Atomics.load(this.#words, NEXT);
    const { count } = this;
    if (this.isAbandoned || (count !== undefined && next >= count)) return undefined;
    const isPossible = needsPlaintext ? this.isReady(next) : this.isFree(next);
    if (!isPossible || Atomics.compareExchange(this.#words, NEXT, next, next + 1) !== next) return undefined;
    return next;
  }

  /** Whether the segment's places may be filled. */
  isFree(index: number): boolean {
    return Atomics.load(this.#words, CONSUMED) >= index - SLOT_COUNT + 1;
  }

  isReady(index: number): boolean {
    return Atomics.load(this.#words, this.#at(index, READY)) >= index + 1;
  }

  isDone(index: number): boolean {
    return Atomics.load(this.#words, this.#at(index, DONE)) >= index + 1;
  }

  /** `length` bytes of plaintext are in the segment's slot. */
  markReady(index: number, length: number): void {
    Atomics.store(this.#words, this.#at(index, LENGTH), length);
    this.#raise(this.#at(index, READY), index + 1);
  }

  /** The segment's plaintext will never come. The main thread learns of it in its turn, after all good segments before it. */
  markFailed(index: number): void {
    this.markReady(index, FAILED);
  }

  hasFailed(index: number): boolean {
    return this.lengthOf(index) === FAILED;
  }

  /** The segment's token is in its place. */
  markDone(index: number): void {
    this.#raise(this.#at(index, DONE), index + 1);
  }

  /** All segments before this one have been consumed. */
  setConsumed(behind: number): void {
    if (Atomics.load(this.#words, CONSUMED) < behind) this.#raise(CONSUMED, behind);
  }

  /** Blocks a worker until the segment's places may be filled. `false` when there is nothing more to do. */
  waitForSlot(index: number): boolean {
    return this.#wait(CONSUMED, index - SLOT_COUNT + 1);
  }

  /** Blocks a worker until the main thread has filled the slot. `false` when the segment will never be. */
  waitForPlaintext(index: number): boolean {
    return this.#wait(this.#at(index, READY), index + 1, index);
  }

  /** Counts up whenever anything has changed: asked before one looks, and given to `untilEvent` when there was nothing to do. */
  get events(): number {
    return Atomics.load(this.#words, EVENTS);
  }

  noteEvent(): void {
    Atomics.add(this.#words, EVENTS, 1);
    Atomics.notify(this.#words, EVENTS);
  }

  /** For the main thread, which must not block: resolves when something has changed since `seen`, or after a tenth of a second. */
  async untilEvent(seen: number): Promise<void> {
    Atomics.add(this.#words, WAITING, 1);
    const waiting = Atomics.waitAsync(this.#words, EVENTS, seen, WATCH_MS);
    if (waiting.async) await waiting.value;
    Atomics.sub(this.#words, WAITING, 1);
  }

  #at(index: number, word: number): number {
    return FIRST_SLOT + (index % SLOT_COUNT) * WORDS_PER_SLOT + word;
  }

  /** Waking costs more than all the rest here, so it is left out while nobody waits: who waits says so first, and looks once more. */
  #raise(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
    Atomics.add(this.#words, EVENTS, 1);
    if (Atomics.load(this.#words, WAITING) === 0) return;
    Atomics.notify(this.#words, word);
    Atomics.notify(this.#words, EVENTS);
  }

  #wait(word: number, atLeast: number, unlessBeyond?: number): boolean {
    for (;;) {
      if (this.isAbandoned) return false;
      const value = Atomics.load(this.#words, word);
      if (value >= atLeast) return true;
      const count = this.count;
      if (unlessBeyond !== undefined && count !== undefined && unlessBeyond >= count) return false;
      Atomics.add(this.#words, WAITING, 1);
      Atomics.wait(this.#words, word, value, WATCH_MS);
      Atomics.sub(this.#words, WAITING, 1);
    }
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
