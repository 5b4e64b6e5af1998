import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto';
import type { Argon2idInput, Backend, Sha256State } from './backend.ts';

// Raw keys go through `createSecretKey`: passed as bytes, every cipher and HMAC costs 10 us more (Node 24.21), which is 3 % of
// a segment. A KeyObject is wiped by OpenSSL when it is collected.

/** Buffers of Node's pool, which is 64 KiB, are smaller. */
const OWN_MEMORY_FROM_BYTES = 131_072;

/** Ids, salts and IVs: asking OpenSSL for each of them costs 5 us, most of it for the call. */
const MAX_POOLED_RANDOM_BYTES = 64;
const randomPool = new Uint8Array(4096);
let randomTaken = randomPool.length;

/** OpenSSL, by `node:crypto`. */
export const backend: Backend = {
  name: 'node',

  fillRandom(target) {
    if (target.length > MAX_POOLED_RANDOM_BYTES) randomFillSync(target);
    else takeRandom(target);
  },

  equal(a, b) {
    return timingSafeEqual(a, b);
  },

  createSha256(): Sha256State {
    const hash = createHash('sha256');
    return {
      update(bytes) {
        hash.update(bytes);
      },
      digest() {
        return plain(hash.digest());
      },
    };
  },

  hmacSha256(key, data) {
    return plain(createHmac('sha256', createSecretKey(key)).update(data).digest());
  },

  createHmacSha256(key): Sha256State {
    const hmac = createHmac('sha256', createSecretKey(key));
    return {
      update(bytes) {
        hmac.update(bytes);
      },
      digest() {
        return plain(hmac.digest());
      },
    };
  },

  encryptAes128Cbc(key, iv, plaintext, target) {
    const cipher = createCipheriv('aes-128-cbc', createSecretKey(key), iv);
    const body = cipher.update(plaintext);
    copy(body, target);
    target.set(cipher.final(), body.length);
    free(body);
  },

  decryptAes128Cbc(key, iv, ciphertext) {
    const decipher = createDecipheriv('aes-128-cbc', createSecretKey(key), iv);
    const body = decipher.update(ciphertext);
    const tail = finish(decipher);
    if (tail === undefined) {
      body.fill(0);
      return undefined;
    }
    // A full segment is a multiple of the block size: its last block is all padding, and there is nothing to join.
    if (tail.length === 0) return plain(body);
    const plaintext = new Uint8Array(body.length + tail.length);
    plaintext.set(body);
    plaintext.set(tail, body.length);
    body.fill(0);
    tail.fill(0);
    return plaintext;
  },

  copy,

  discard(bytes) {
    bytes.fill(0);
    free(bytes);
  },

  decryptAes128CbcBlocks(key, iv, blocks) {
    // Without padding there is nothing that `final` could give.
    return plain(
      createDecipheriv('aes-128-cbc', createSecretKey(key), iv).setAutoPadding(false).update(blocks),
    );
  },

  async argon2id({
    password,
    salt,
    memoryKiB,
    passes,
    parallelism,
    lengthBytes,
    secret,
    associatedData,
  }: Argon2idInput) {
    const parameters = {
      message: password,
      nonce: salt,
      memory: memoryKiB,
      passes,
      parallelism,
      tagLength: lengthBytes,
      secret,
      associatedData,
    };
    // On a thread of libuv's pool.
    return await new Promise<Uint8Array>((resolve, reject) => {
      argon2('argon2id', parameters, (error, key) => {
        if (error === null) resolve(plain(key));
        else reject(error);
      });
    });
  },
};

/** What was given out does not stay in the pool. */
function takeRandom(target: Uint8Array): void {
  if (randomTaken + target.length > randomPool.length) {
    randomFillSync(randomPool);
    randomTaken = 0;
  }
  const taken = randomPool.subarray(randomTaken, randomTaken + target.length);
  randomTaken += target.length;
  target.set(taken);
  taken.fill(0);
}

function finish(decipher: ReturnType<typeof createDecipheriv>): Buffer | undefined {
  try {
    return decipher.final();
  } catch {
    return undefined;
  }
}

/** V8 copies into shared memory in small steps that other threads may watch, which takes three times as long as this: filling with as many bytes is one memcpy. */
function copy(source: Uint8Array, target: Uint8Array): void {
  if (source.length === 0) return;
  Buffer.from(target.buffer, target.byteOffset, target.length).fill(source, 0, source.length);
}

/**
 * Gives the memory of a large array back now. Left to the garbage collector, pieces of 256 KiB that come and go thousands of times keep its threads busy with
 * major collections: a tenth of all processor time (bench/, adding 1 GiB).
 */
function free({ buffer, byteLength }: Uint8Array): void {
  // A small one may be part of what others use too.
  const isAlone = byteLength >= OWN_MEMORY_FROM_BYTES && byteLength === buffer.byteLength;
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same memory, without the methods of a Buffer. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
