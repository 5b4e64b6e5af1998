import { backend } from '#backend';
import { CryptoError } from './errors.ts';

/** A SHA-256 that takes its input in pieces. */
export interface Sha256 {
  /** @throws CryptoError DISPOSED after `digest` */
  update(bytes: Uint8Array): this;
  /** 32 bytes, once. @throws CryptoError DISPOSED the second time */
  digest(): Uint8Array;
}

/** FIPS 180-4 §6.2. 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return createSha256().update(data).digest();
}

export function createSha256(): Sha256 {
  return new IncrementalSha256();
}

class IncrementalSha256 implements Sha256 {
  readonly #state = backend.createSha256();
  #finished = false;

  update(bytes: Uint8Array): this {
    this.#requireUnfinished();
    this.#state.update(bytes);
    return this;
  }

  digest(): Uint8Array {
    this.#requireUnfinished();
    this.#finished = true;
    return this.#state.digest();
  }

  #requireUnfinished(): void {
    if (this.#finished)
      throw new CryptoError('DISPOSED', 'this SHA-256 has given its digest and is at its end');
  }
}
