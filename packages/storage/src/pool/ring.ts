/** How long a thread sleeps before it looks again whether the work was abandoned, even if nobody wakes it. */
const WATCH_MS = 100;

/** Plaintext of one segment. */
export const SLOT_SIZE_BYTES: number = 256 * 1024;
/** 8 MiB in flight: enough to keep the workers busy while the disk or the reader hesitates. */
export const SLOT_COUNT = 32;

// Words of the shared state.
const NEXT = 0;
const CONSUMED = 1;
const COUNT = 2;
const ABANDONED = 3;
const WAITING = 4;
const FIRST_SLOT = 5;
const WORDS_PER_SLOT = 3;
const [READY, DONE, LENGTH] = [0, 1, 2];

const UNKNOWN = -1;
const FAILED = -1;

export interface RingMemory {
  readonly words: SharedArrayBuffer;
  readonly plaintext: SharedArrayBuffer;
}

/**
 * The memory that the main thread and the workers share while one file is sealed or opened: a ring of segments' plaintext, and words that
 * say how far each is. Segment n is in slot n mod 32. Plaintext only; keys are never in it.
 *
 * Workers claim segments by number. A slot is used again when the segment in it was consumed, in order, by the main thread and, if it is
 * sealed, done by its worker.
 */
export class Ring {
  readonly memory: RingMemory;
  readonly #words: Int32Array;
  readonly #plaintext: Uint8Array;

  constructor(memory: RingMemory) {
    this.memory = memory;
    this.#words = new Int32Array(memory.words);
    this.#plaintext = new Uint8Array(memory.plaintext);
  }

  static allocate(): Ring {
    const words = new SharedArrayBuffer(4 * (FIRST_SLOT + SLOT_COUNT * WORDS_PER_SLOT));
    return new Ring({ words, plaintext: new SharedArrayBuffer(SLOT_COUNT * SLOT_SIZE_BYTES) });
  }

  /** Before a job. `first` is the number of its first segment, `count` that behind its last one, if it is known. */
  reset(first: number, count: number | undefined): void {
    this.#words.fill(0);
    this.#words[NEXT] = first;
    this.#words[CONSUMED] = first;
    this.#words[COUNT] = count ?? UNKNOWN;
    // As if all segments before the first were done.
    for (let slot = 0; slot < SLOT_COUNT; slot++) this.#words[this.#at(slot, DONE)] = first;
  }

  /** After a job: nothing of a file stays in memory longer than it must. */
  clear(): void {
    this.#plaintext.fill(0);
  }

  /** Of the segment's slot. */
  plaintext(index: number): Uint8Array {
    const start = (index % SLOT_COUNT) * SLOT_SIZE_BYTES;
    return this.#plaintext.subarray(start, start + Atomics.load(this.#words, this.#at(index, LENGTH)));
  }

  /** The whole slot, to be filled. */
  slot(index: number): Uint8Array {
    const start = (index % SLOT_COUNT) * SLOT_SIZE_BYTES;
    return this.#plaintext.subarray(start, start + SLOT_SIZE_BYTES);
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
  tryClaim(options: { readonly needsDone: boolean; readonly needsPlaintext: boolean }): number | undefined {
    const next = Atomics.load(this.#words, NEXT);
    const { count } = this;
    if (this.isAbandoned || (count !== undefined && next >= count)) return undefined;
    const isFree = options.needsPlaintext ? this.isReady(next) : this.#isFree(next, options.needsDone);
    if (!isFree || Atomics.compareExchange(this.#words, NEXT, next, next + 1) !== next) return undefined;
    return next;
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
    Atomics.store(this.#words, this.#at(index, LENGTH), FAILED);
    this.#raise(this.#at(index, READY), index + 1);
  }

  hasFailed(index: number): boolean {
    return Atomics.load(this.#words, this.#at(index, LENGTH)) === FAILED;
  }

  /** The worker is done with the segment. */
  markDone(index: number): void {
    this.#raise(this.#at(index, DONE), index + 1);
  }

  /** The main thread is done with the segment, and with all before it. */
  markConsumed(index: number): void {
    this.#raise(CONSUMED, index + 1);
  }

  /** Blocks a worker until the slot may be filled with the segment. `false` when there is nothing more to do. */
  waitForSlot(index: number, options: { readonly needsDone: boolean }): boolean {
    const before = index - SLOT_COUNT + 1;
    return this.#wait(CONSUMED, before) && (!options.needsDone || this.#wait(this.#at(index, DONE), before));
  }

  /** Blocks a worker until the main thread has filled the slot. `false` when the segment will never be. */
  waitForPlaintext(index: number): boolean {
    return this.#wait(this.#at(index, READY), index + 1, index);
  }

  /** Resolves when the segment's plaintext is in its slot. `false` when the job was abandoned. */
  async untilReady(index: number): Promise<boolean> {
    return this.#until(this.#at(index, READY), index + 1);
  }

  /** Resolves when the worker is done with the segment. `false` when the job was abandoned. */
  async untilDone(index: number): Promise<boolean> {
    return this.#until(this.#at(index, DONE), index + 1);
  }

  #at(index: number, word: number): number {
    return FIRST_SLOT + (index % SLOT_COUNT) * WORDS_PER_SLOT + word;
  }

  #isFree(index: number, needsDone: boolean): boolean {
    const before = index - SLOT_COUNT + 1;
    if (Atomics.load(this.#words, CONSUMED) < before) return false;
    return !needsDone || Atomics.load(this.#words, this.#at(index, DONE)) >= before;
  }

  /** Waking costs more than all the rest here, so it is left out while nobody waits: who waits says so first, and looks once more. */
  #raise(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
    if (Atomics.load(this.#words, WAITING) > 0) Atomics.notify(this.#words, word);
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

  async #until(word: number, atLeast: number): Promise<boolean> {
    for (;;) {
      if (this.isAbandoned) return false;
      const value = Atomics.load(this.#words, word);
      if (value >= atLeast) return true;
      Atomics.add(this.#words, WAITING, 1);
      const waiting = Atomics.waitAsync(this.#words, word, value, WATCH_MS);
      if (waiting.async) await waiting.value;
      Atomics.sub(this.#words, WAITING, 1);
    }
  }
}
