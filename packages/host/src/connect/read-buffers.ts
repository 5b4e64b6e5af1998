import { Received } from '../wire/received.ts';

/** About what a socket gives out at a time. */
const BUFFER_SIZE_BYTES = 262_144;
/** More than are in use with one stream; what is beyond is left to the garbage collector. */
const MAX_FREE = 24;

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

  /** Begins to use what was read into a buffer. */
  use(buffer: Buffer): Received {
    return new Received(() => {
      if (this.#free.length < MAX_FREE) this.#free.push(buffer);
    });
  }
}
