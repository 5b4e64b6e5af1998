import { MAX_PAYLOAD_SIZE_BYTES, costOf } from './frame.ts';
import { ProtocolError } from './protocol-error.ts';

/** How much of one request, by the cost of its frames, may be under way to a side that has not used it yet. */
const WINDOW_SIZE_BYTES = 4_194_304;

/** The sender's account: it stops when the other side has not taken what was sent before. */
export class SendWindow {
  #credit = WINDOW_SIZE_BYTES;
  #wake: (() => void) | undefined;
  #isEnded = false;

  /** Waits until something may be sent, and counts it. False when nothing needs to be sent any more. */
  async take(cost: number): Promise<boolean> {
    while (this.#credit <= 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#credit -= cost;
    return !this.#isEnded;
  }

  /** Throws `ProtocolError` for more than was ever taken. */
  give(cost: number): void {
    this.#credit += cost;
    if (this.#credit > WINDOW_SIZE_BYTES) throw new ProtocolError('more credit than there was debt');
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }
}

interface Entry<T> {
  readonly item: T;
  readonly giveBack: (() => void) | undefined;
  readonly cost: number;
}

/** What has arrived for one request and has not been used yet, in order. */
export class Inbox<T> {
  readonly #entries: Entry<T>[] = [];
  readonly #giveCredit: (cost: number) => void;
  #queued = 0;
  #used = 0;
  #end: { readonly error: unknown } | 'whole' | undefined;
  #wake: (() => void) | undefined;
  #giveBackLast: (() => void) | undefined;

  constructor(giveCredit: (cost: number) => void) {
    this.#giveCredit = giveCredit;
  }

  /**
   * `giveBack` is called when the item after this one is asked for; not at all if none is, so that who keeps the last one may. Throws `ProtocolError` when the sender has sent more than it
   * may.
   */
  push(item: T, cost: number, giveBack?: () => void): void {
    if (this.#end !== undefined) return;
    this.#queued += cost;
    if (this.#queued > WINDOW_SIZE_BYTES + costOf(MAX_PAYLOAD_SIZE_BYTES)) {
      throw new ProtocolError('more was sent than there was credit for');
    }
    this.#entries.push({ item, cost, giveBack });
    this.#wake?.();
  }

  /** Nothing more comes; what is here can still be taken. */
  end(): void {
    this.#end ??= 'whole';
    this.#wake?.();
  }

  /** Nothing more comes, and what is here is no longer of use. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** The next item; `undefined` at the end. Throws what it failed with. */
  async next(): Promise<T | undefined> {
    this.#giveBackLast?.();
    this.#giveBackLast = undefined;
    for (;;) {
      if (typeof this.#end === 'object') throw this.#end.error;
      const entry = this.#entries.shift();
      if (entry !== undefined) {
        this.#use(entry.cost);
        this.#giveBackLast = entry.giveBack;
        return entry.item;
      }
      if (this.#end === 'whole') return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #use(cost: number): void {
    this.#queued -= cost;
    this.#used += cost;
    // Not for each: a frame back for every frame would cost as much as the frame itself.
    if (this.#used < WINDOW_SIZE_BYTES / 4) return;
    this.#giveCredit(this.#used);
    this.#used = 0;
  }
}
