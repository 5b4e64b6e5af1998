import { KeyBytes } from '../key-bytes.ts';

/** The bytes of a file key, not copied. For the rest of this package: only the class can read its private field. */
export let fileKeyBytes: (key: FileKey) => Uint8Array;

/**
 * The key of one sealed file: 32 uniform bytes, from which the keys of its header and segments are expanded. Every member throws
 * `DISPOSED` after disposal.
 */
export class FileKey implements Disposable {
  readonly #key: KeyBytes;

  static {
    fileKeyBytes = (key) => key.#key.get();
  }

  private constructor(key: KeyBytes) {
    this.#key = key;
  }

  static generate(): FileKey {
    return new FileKey(KeyBytes.generate());
  }

  /** Copies; the caller zeroes its own. @throws CryptoError INVALID_KEY unless there are 32 bytes */
  static fromBytes(bytes: Uint8Array): FileKey {
    return new FileKey(KeyBytes.copy(bytes));
  }

  /** A copy, for a worker that seals segments of the same file; the caller zeroes it. */
  exportBytes(): Uint8Array {
    return new Uint8Array(this.#key.get());
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }
}
