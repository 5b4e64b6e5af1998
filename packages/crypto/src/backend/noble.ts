import { cbc } from '@noble/ciphers/aes.js';
import { argon2idAsync } from '@noble/hashes/argon2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { Backend, Sha256State } from './backend.ts';

/** The most that one call of `getRandomValues` gives (Web Cryptography API §10.1.1). */
const RANDOM_QUOTA_BYTES = 65_536;

/** TypeScript alone, for browsers and React Native: needs nothing but `crypto.getRandomValues`. */
export const backend: Backend = {
  name: 'noble',

  fillRandom(target) {
    for (let start = 0; start < target.length; start += RANDOM_QUOTA_BYTES) {
      // A copy, because the target may be shared memory, which `getRandomValues` refuses.
      target.set(
        crypto.getRandomValues(new Uint8Array(Math.min(RANDOM_QUOTA_BYTES, target.length - start))),
        start,
      );
    }
  },

  equal(a, b) {
    let difference = 0;
    for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
    return difference === 0;
  },

  createSha256(): Sha256State {
    const hash = sha256.create();
    return {
      update(bytes) {
        hash.update(bytes);
      },
      digest() {
        return hash.digest();
      },
    };
  },

  hmacSha256(key, data) {
    return hmac(sha256, key, data);
  },

  createHmacSha256(key): Sha256State {
    const state = hmac.create(sha256, key);
    return {
      update(bytes) {
        state.update(bytes);
      },
      digest() {
        return state.digest();
      },
    };
  },

  encryptAes128Cbc(key, iv, plaintext, target) {
    target.set(cbc(key, iv).encrypt(plaintext));
  },

  decryptAes128Cbc(key, iv, ciphertext) {
    try {
      return cbc(key, iv).decrypt(ciphertext);
    } catch {
      return undefined;
    }
  },

  copy(source, target) {
    target.set(source);
  },

  discard(bytes) {
    bytes.fill(0);
  },

  decryptAes128CbcBlocks(key, iv, blocks) {
    return cbc(key, iv, { disablePadding: true }).decrypt(blocks);
  },

  async argon2id({ password, salt, memoryKiB, passes, parallelism, lengthBytes, secret, associatedData }) {
    return await argon2idAsync(password, salt, {
      m: memoryKiB,
      t: passes,
      p: parallelism,
      dkLen: lengthBytes,
      ...(secret === undefined ? {} : { key: secret }),
      ...(associatedData === undefined ? {} : { personalization: associatedData }),
    });
  },
};
