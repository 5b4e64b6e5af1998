/** Smaller pieces are cheaper to copy than to keep everything for that was read with them. */
const MIN_LENT_SIZE_BYTES = 32_768;

/** A piece of what was read, and what says that it is not needed any more. */
export interface Lent {
  readonly piece: Buffer;
  readonly giveBack: (() => void) | undefined;
}

/** What a socket gave out at a time. Its memory is free when `end` and every `giveBack` has been called. */
export class Received {
  readonly #release: () => void;
  #users = 1;

  constructor(release: () => void) {
    this.#release = release;
  }

  lend(piece: Buffer): Lent {
    if (piece.length < MIN_LENT_SIZE_BYTES) return { piece: Buffer.from(piece), giveBack: undefined };
    this.#users += 1;
    return {
      piece,
      giveBack: () => {
        this.end();
      },
    };
  }

  end(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#release();
  }
}
