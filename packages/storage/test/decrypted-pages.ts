import { createDecipheriv } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SecretKey } from '@coffer/crypto';

// The SQLCipher 4 page, written down a second time (docs/spec/database.md): 4,096 bytes that end in IV 16 ‖ HMAC 64; AES-256-CBC.
const PAGE = 4096;
const CIPHERTEXT_END = 4016;
const IV_END = 4032;
const SALT = 16;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** Everything that is in the pages of a storage's database and in its log, free pages and the space between rows too, in clear. */
export function decryptedPages(directory: string, rootKey: Uint8Array): Buffer {
  const key = databaseKeyOf(rootKey);
  const file = readFileSync(join(directory, 'data.db'));
  const pages: Buffer[] = [];
  for (let at = 0; at + PAGE <= file.length; at += PAGE) {
    pages.push(decrypt(key, file.subarray(at, at + PAGE), at === 0));
  }
  const walPath = join(directory, 'data.db-wal');
  const wal = existsSync(walPath) ? readFileSync(walPath) : Buffer.alloc(0);
  for (let at = WAL_HEADER; at + FRAME_HEADER + PAGE <= wal.length; at += FRAME_HEADER + PAGE) {
    const page = wal.subarray(at + FRAME_HEADER, at + FRAME_HEADER + PAGE);
    pages.push(decrypt(key, page, wal.readUInt32BE(at) === 1));
  }
  return Buffer.concat(pages);
}

function databaseKeyOf(rootKey: Uint8Array): Uint8Array {
  using root = SecretKey.fromBytes(rootKey);
  using derived = root.derive('coffer/database/v1');
  return derived.exportBytes();
}

function decrypt(key: Uint8Array, page: Buffer, isFirst: boolean): Buffer {
  const decipher = createDecipheriv('aes-256-cbc', key, page.subarray(CIPHERTEXT_END, IV_END));
  return decipher.setAutoPadding(false).update(page.subarray(isFirst ? SALT : 0, CIPHERTEXT_END));
}
