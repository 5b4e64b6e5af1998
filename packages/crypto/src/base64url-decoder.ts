import { decodeBase64Url } from './base64url.ts';
import { CryptoError } from './errors.ts';

/**
 * Decodes base64url that comes in pieces, as strictly as `base64UrlToBytes`: what it accepts in pieces is what that accepts whole.
 */
export class Base64UrlDecoder {
  /** Up to 4 characters. The last group may have padding, and only the end shows which one is the last. */
  #held: Uint8Array = new Uint8Array();

  /** The bytes of all groups before the last. @throws CryptoError INVALID_ARGUMENT */
  update(characters: Uint8Array): Uint8Array {
    const all = new Uint8Array(this.#held.length + characters.length);
    all.set(this.#held);
    all.set(characters, this.#held.length);
    const groups = Math.max(0, Math.ceil(all.length / 4) - 1);
    this.#held = all.subarray(groups * 4);
    const bytes = decodeBase64Url(all.subarray(0, groups * 4));
    // Padding, which is the end, before the end.
    if (bytes.length !== groups * 3) throw invalidText();
    return bytes;
  }

  /** The bytes of the last group. @throws CryptoError INVALID_ARGUMENT */
  finish(): Uint8Array {
    return decodeBase64Url(this.#held);
  }
}

function invalidText(): CryptoError {
  return new CryptoError('INVALID_ARGUMENT', 'this is not base64url with its padding (RFC 4648 §5)');
}
