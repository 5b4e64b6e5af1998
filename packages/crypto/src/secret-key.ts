import { CryptoError } from './errors.ts';
import { FernetKey } from './fernet-key.ts';
import { hkdfSha256 } from './hkdf.ts';
import { KeyBytes } from './key-bytes.ts';

const SIZE_BYTES = 32;
const MAX_LABEL_SIZE_BYTES = 255;
const NO_SALT = new Uint8Array(0);

/** 32 uniform secret bytes from which other keys are derived. Every member throws `DISPOSED` after disposal. */
export class SecretKey implements Disposable {
  readonly #key: KeyBytes;

  private constructor(key: KeyBytes) {
    this.#key = key;
  }

  static generate(): SecretKey {
    return new SecretKey(KeyBytes.generate());
  }

  /** Copies; the caller zeroes its own. @throws CryptoError INVALID_KEY unless there are 32 bytes */
  static fromBytes(bytes: Uint8Array): SecretKey {
    return new SecretKey(KeyBytes.copy(bytes));
  }

  /**
   * An independent key for one use: HKDF-SHA-256 (input key = this key, salt = empty, info = the label in UTF-8, 32 bytes).
   *
   * @throws CryptoError INVALID_ARGUMENT for a label that is empty or longer than 255 bytes
   */
  derive(label: string): SecretKey {
    const info = new TextEncoder().encode(label);
    if (info.length === 0 || info.length > MAX_LABEL_SIZE_BYTES) {
      throw new CryptoError('INVALID_ARGUMENT', 'the label of a derived key has 1 to 255 bytes');
    }
    return new SecretKey(KeyBytes.take(hkdfSha256(this.#key.get(), NO_SALT, info, SIZE_BYTES)));
  }

  /** The same 32 bytes as a Fernet key: the first half signs, the second encrypts. */
  toFernetKey(): FernetKey {
    return FernetKey.fromBytes(this.#key.get());
  }

  /** A copy; the caller zeroes it. */
  exportBytes(): Uint8Array {
    return new Uint8Array(this.#key.get());
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }
}
