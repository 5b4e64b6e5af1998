import type { DriverDatabase } from './driver.ts';
import { invalid } from './errors.ts';
import { KEY_SIZE_BYTES } from './page-layout.ts';

/** What opens a SQLCipher 4 database: 32 bytes as they are, or text that SQLCipher stretches (PBKDF2-HMAC-SHA512, 256,000 rounds). */
export type CipherKey =
  | { readonly kind: 'raw'; readonly key: Uint8Array }
  | { readonly kind: 'passphrase'; readonly passphrase: Uint8Array };

/** The driver knows a raw key by this; a buffer without it is a passphrase. A string would leave copies. */
const RAW_PREFIX: Uint8Array = Buffer.from('raw:', 'latin1');

/** Makes the driver use the SQLCipher 4 format with this key. */
export function setCipherKey(driver: DriverDatabase, key: CipherKey): void {
  driver.pragma(`cipher = 'sqlcipher'`);
  driver.pragma('legacy = 4');
  const bytes = key.kind === 'raw' ? rawKey(key.key) : ownBuffer(new Uint8Array(), key.passphrase);
  try {
    driver.key(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** How the driver takes a key that is not a passphrase. The caller zeroes it. */
export function rawKey(key: Uint8Array): Buffer {
  checkKeySize(key);
  return ownBuffer(RAW_PREFIX, key);
}

/** Throws `INVALID`. */
export function checkKeySize(key: Uint8Array): void {
  if (key.length !== KEY_SIZE_BYTES) throw invalid(`a database key has ${String(KEY_SIZE_BYTES)} bytes`);
}

/** Not from the pool, which other buffers share. */
function ownBuffer(prefix: Uint8Array, secret: Uint8Array): Buffer {
  const bytes = Buffer.alloc(prefix.length + secret.length);
  bytes.set(prefix);
  bytes.set(secret, prefix.length);
  return bytes;
}
