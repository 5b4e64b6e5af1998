/** About what a socket gives out at a time. */
const BUFFER_SIZE_BYTES = 262_144;
/** Smaller pieces are cheaper to copy than to keep a whole buffer for. */
const MIN_LENT_SIZE_BYTES = 32_768;
/** More than are in use with one stream; what is beyond is left to the garbage collector. */
const MAX_FREE = 24;

/** A piece of what was read, and what gives its memory back. */
export interface Lent {
  readonly piece: Buffer;
  readonly giveBack: (() => void) | undefined;
}

/**
 * The memory that a socket is read into, used again as soon as nobody needs it: with a new buffer for every read, collecting them takes as long as all the
 * rest of passing content on.
 */
export class ReadBuffers {
  readonly #free: Buffer[] = [];

  /** Memory for the next read. */
  next(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE_BYTES);
  }

  /** Begins to use what was read into a buffer. It is free when `end` and every `giveBack` has been called. */
  use(buffer: Buffer): { readonly lend: (piece: Buffer) => Lent; readonly end: () => void } {
    let users = 1;
    const release = (): void => {
      users -= 1;
      if (users === 0 && this.#free.length < MAX_FREE) this.#free.push(buffer);
    };
    const lend = (piece: Buffer): Lent => {
      if (piece.length < MIN_LENT_SIZE_BYTES) return { piece: Buffer.from(piece), giveBack: undefined };
      users += 1;
      return { piece, giveBack: release };
    };
    return { lend, end: release };
  }
}
