import { createDecipheriv, createHmac, createSecretKey, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/*
 * The SQLCipher 4 page (docs/spec/database.md):
 *
 *   first page   salt 16 ‖ ciphertext 4000 ‖ IV 16 ‖ HMAC 64
 *   others                 ciphertext 4016 ‖ IV 16 ‖ HMAC 64
 */

export const PAGE_SIZE_BYTES = 4096;
export const KEY_SIZE_BYTES = 32;
/** In clear at the start of the first page, in the place of SQLite's magic. */
export const SALT_SIZE_BYTES = 16;
const IV_SIZE_BYTES = 16;
const HMAC_SIZE_BYTES = 64;
const IV_OFFSET: number = PAGE_SIZE_BYTES - HMAC_SIZE_BYTES - IV_SIZE_BYTES;
const HMAC_OFFSET: number = PAGE_SIZE_BYTES - HMAC_SIZE_BYTES;

const HMAC_SALT_MASK = 0x3a;
const HMAC_KEY_ITERATIONS = 2;

/**
 * SQLite locks bytes from 2^30 on and so never uses the page that they are in: https://sqlite.org/fileformat.html#the_lock_byte_page
 */
export const LOCK_BYTE_PAGE: number = 2 ** 30 / PAGE_SIZE_BYTES + 1;

/** The key of the pages' HMACs: PBKDF2-HMAC-SHA512(key, salt XOR 0x3a…, 2 iterations, 32 bytes). */
export function derivePageHmacKey(key: Uint8Array, salt: Uint8Array): KeyObject {
  const hmacSalt = salt.map((byte) => byte ^ HMAC_SALT_MASK);
  const bytes = pbkdf2Sync(key, hmacSalt, HMAC_KEY_ITERATIONS, KEY_SIZE_BYTES, 'sha512');
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** Whether a whole page is what was written at this place: HMAC-SHA512 over ciphertext ‖ IV ‖ page number u32, little-endian. */
export function isPageAuthentic(hmacKey: KeyObject, page: Uint8Array, pageNumber: number): boolean {
  const number = Buffer.alloc(4);
  number.writeUInt32LE(pageNumber);
  const start = pageNumber === 1 ? SALT_SIZE_BYTES : 0;
  const expected = createHmac('sha512', hmacKey)
    .update(page.subarray(start, HMAC_OFFSET))
    .update(number)
    .digest();
  return timingSafeEqual(expected, page.subarray(HMAC_OFFSET, PAGE_SIZE_BYTES));
}

/** What SQLite sees of a page that is authentic, at the same offsets; the place of IV and HMAC is left out. AES-256-CBC, no padding. */
export function decryptPage(key: Uint8Array, page: Uint8Array, pageNumber: number): Buffer {
  const start = pageNumber === 1 ? SALT_SIZE_BYTES : 0;
  const iv = page.subarray(IV_OFFSET, IV_OFFSET + IV_SIZE_BYTES);
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  const plaintext = decipher.update(page.subarray(start, IV_OFFSET));
  return start === 0 ? plaintext : Buffer.concat([page.subarray(0, start), plaintext]);
}

/**
 * The number of pages that the database's header says there are. The first page must be authentic; AES-256-CBC of one block is enough:
 * https://sqlite.org/fileformat.html#in_header_database_size is at offset 28, and the blocks begin at offset 16.
 */
export function readPageCount(key: Uint8Array, firstPage: Uint8Array): number {
  const iv = firstPage.subarray(IV_OFFSET, IV_OFFSET + IV_SIZE_BYTES);
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  const block = decipher.update(firstPage.subarray(SALT_SIZE_BYTES, SALT_SIZE_BYTES + 16));
  return block.readUInt32BE(28 - SALT_SIZE_BYTES);
}
