import { CryptoError } from './errors.ts';
import { randomBytes } from './random-bytes.ts';

const SIZE_BYTES = 32;

/** 32 secret bytes with an end: disposal zeroes them. Every key class holds one in a `#private` field. */
export class KeyBytes implements Disposable {
  readonly #bytes: Uint8Array;
  #disposed = false;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static generate(): KeyBytes {
    return new KeyBytes(randomBytes(SIZE_BYTES));
  }

  /** Copies; the caller zeroes its own. @throws CryptoError INVALID_KEY unless there are 32 bytes */
  static copy(bytes: Uint8Array): KeyBytes {
    if (!(bytes instanceof Uint8Array) || bytes.length !== SIZE_BYTES) {
      throw new CryptoError('INVALID_KEY', `a key has ${String(SIZE_BYTES)} bytes`);
    }
    return new KeyBytes(new Uint8Array(bytes));
  }

  /** Copies and zeroes the original. @throws CryptoError INVALID_KEY unless there are 32 bytes */
  static take(bytes: Uint8Array): KeyBytes {
    try {
      return KeyBytes.copy(bytes);
    } finally {
      bytes.fill(0);
    }
  }

  /** Not a copy: for use then and there. @throws CryptoError DISPOSED */
  get(): Uint8Array {
    if (this.#disposed) throw new CryptoError('DISPOSED', 'this key has been disposed of');
    return this.#bytes;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#bytes.fill(0);
  }
}
