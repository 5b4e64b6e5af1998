import { IV_SIZE_BYTES } from './aes-cbc-hmac.ts';
import { bytesToBase64Url } from './base64url.ts';
import { CryptoError, invalidToken, isInvalidToken } from './errors.ts';
import { encryptFernet, fernetTime, fernetTokenToBytes, openFernet, sealFernetAt } from './fernet.ts';
import type { OpenFernetOptions } from './fernet.ts';
import { fernetKeyHalves } from './fernet-key.ts';
import type { FernetKey } from './fernet-key.ts';
import { randomBytes } from './random-bytes.ts';

const MAX_KEYS = 64;

/**
 * Several keys, for changing them without losing old tokens: the first encrypts, all decrypt. The keys remain the caller's to dispose of.
 */
export class MultiFernet {
  readonly #keys: readonly [FernetKey, ...FernetKey[]];

  /** 1 to 64 keys. @throws CryptoError INVALID_ARGUMENT */
  constructor(keys: readonly FernetKey[]) {
    const [first, ...others] = keys;
    if (first === undefined || keys.length > MAX_KEYS) {
      throw new CryptoError('INVALID_ARGUMENT', `MultiFernet takes 1 to ${String(MAX_KEYS)} keys`);
    }
    this.#keys = [first, ...others];
  }

  /** As `encryptFernet` with the first key. */
  encrypt(message: Uint8Array): string {
    return encryptFernet(this.#keys[0], message);
  }

  /** As `decryptFernet` with the first key that opens the token. */
  decrypt(token: string, options: OpenFernetOptions = {}): Uint8Array {
    return this.#open(fernetTokenToBytes(token), options);
  }

  /** The same message and time under the first key. @throws CryptoError INVALID_TOKEN, DISPOSED */
  rotate(token: string): string {
    const bytes = fernetTokenToBytes(token);
    const message = this.#open(bytes, {});
    try {
      const iv = randomBytes(IV_SIZE_BYTES);
      return bytesToBase64Url(sealFernetAt(fernetKeyHalves(this.#keys[0]), message, iv, fernetTime(bytes)));
    } finally {
      message.fill(0);
    }
  }

  #open(token: Uint8Array, options: OpenFernetOptions): Uint8Array {
    for (const key of this.#keys) {
      try {
        return openFernet(key, token, options);
      } catch (error) {
        if (!isInvalidToken(error)) throw error;
      }
    }
    throw invalidToken();
  }
}
