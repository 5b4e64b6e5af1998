/**
 * The primitives that differ by platform. Everything else is written once, on top of them.
 *
 * Callers have checked every length; a backend checks nothing. What it returns is a plain `Uint8Array`, fresh and the caller's.
 */
export interface Backend {
  readonly name: 'node' | 'noble';

  fillRandom(target: Uint8Array): void;

  /** Compares two arrays of the same length in a time that does not depend on their content. */
  equal(a: Uint8Array, b: Uint8Array): boolean;

  createSha256(): Sha256State;

  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;

  /** An HMAC that takes its data in pieces. */
  createHmacSha256(key: Uint8Array): Sha256State;

  /** AES-128-CBC with PKCS#7 padding. Fills all of `target`, which is as long as the ciphertext. */
  encryptAes128Cbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, target: Uint8Array): void;

  /** The plaintext, or `undefined` when the padding is wrong. */
  decryptAes128Cbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined;

  /** Copies all of `source` to the beginning of `target`, which may be shared memory and is as large at least. */
  copy(source: Uint8Array, target: Uint8Array): void;

  /** Zeroes what this backend returned, and gives its memory back where that is possible. It is not used again, and may be empty then. */
  discard(bytes: Uint8Array): void;

  /** AES-128-CBC without padding: as many whole blocks as there are. */
  decryptAes128CbcBlocks(key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Uint8Array;

  /** RFC 9106, Argon2id version 0x13. */
  argon2id(input: Argon2idInput): Promise<Uint8Array>;
}

export interface Sha256State {
  update(bytes: Uint8Array): void;
  /** Ends the state: it is not used again. */
  digest(): Uint8Array;
}

export interface Argon2idInput {
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly lengthBytes: number;
  /** Only the vector of RFC 9106 has these two. */
  readonly secret?: Uint8Array;
  readonly associatedData?: Uint8Array;
}
