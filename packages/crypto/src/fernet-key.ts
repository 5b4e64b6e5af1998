import type { KeyHalves } from './aes-cbc-hmac.ts';
import { splitKey } from './aes-cbc-hmac.ts';
import { base64UrlToBytes, bytesToBase64Url } from './base64url.ts';
import { CryptoError } from './errors.ts';
import { KeyBytes } from './key-bytes.ts';

const TEXT_LENGTH = 44;

/** The halves of a Fernet key, not copied. For the rest of this package: only the class can read its private field. */
export let fernetKeyHalves: (key: FernetKey) => KeyHalves;

/** Signing key 16 ‖ encryption key 16 (Fernet specification, "Key Format"). Every member throws `DISPOSED` after disposal. */
export class FernetKey implements Disposable {
  readonly #key: KeyBytes;

  static {
    fernetKeyHalves = (key) => splitKey(key.#key.get());
  }

  private constructor(key: KeyBytes) {
    this.#key = key;
  }

  static generate(): FernetKey {
    return new FernetKey(KeyBytes.generate());
  }

  /** Copies; the caller zeroes its own. @throws CryptoError INVALID_KEY unless there are 32 bytes */
  static fromBytes(bytes: Uint8Array): FernetKey {
    return new FernetKey(KeyBytes.copy(bytes));
  }

  /** The usual text of a Fernet key: 44 characters of base64url. @throws CryptoError INVALID_KEY */
  static parse(text: string): FernetKey {
    if (text.length !== TEXT_LENGTH) throw invalidKeyText();
    let bytes;
    try {
      bytes = base64UrlToBytes(text);
    } catch {
      throw invalidKeyText();
    }
    return new FernetKey(KeyBytes.take(bytes));
  }

  exportBase64Url(): string {
    return bytesToBase64Url(this.#key.get());
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]();
  }
}

function invalidKeyText(): CryptoError {
  return new CryptoError('INVALID_KEY', 'a Fernet key is 32 bytes in base64url, 44 characters');
}
