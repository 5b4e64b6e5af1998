/*
 * The SQLCipher 4 page: docs/spec/database.md.
 */

export const PAGE_SIZE_BYTES = 4096;
export const KEY_SIZE_BYTES = 32;
/** In clear at the start of the first page, in the place of SQLite's magic. */
export const SALT_SIZE_BYTES = 16;
export const IV_SIZE_BYTES = 16;
export const HMAC_SIZE_BYTES = 64;
/** IV and HMAC at the end of each page. */
export const RESERVED_SIZE_BYTES: number = IV_SIZE_BYTES + HMAC_SIZE_BYTES;
