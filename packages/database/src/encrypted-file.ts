import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseError } from './errors.ts';
import { PAGE_SIZE_BYTES, SALT_SIZE_BYTES } from './page-layout.ts';
import { toDatabaseError } from './translate-error.ts';

/** What every unencrypted SQLite database begins with: https://sqlite.org/fileformat.html#magic_header_string */
const PLAINTEXT_MAGIC: Uint8Array = Buffer.from('SQLite format 3\0', 'latin1');

/**
 * Looks at the file before SQLite may touch it; returns its salt, its first 16 bytes. Throws `NOT_FOUND`, `NOT_A_DATABASE` (too short) or `PLAINTEXT`.
 * `shown` is its name in messages, where `path` has followed links. Never to be called while this process has the database open: closing the file here would drop SQLite's locks.
 */
export function checkEncryptedFile(path: string, shown: string = path): Uint8Array {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new DatabaseError('NOT_A_DATABASE', `${shown} is not a regular file`);
    if (stats.size < PAGE_SIZE_BYTES) {
      throw new DatabaseError(
        'NOT_A_DATABASE',
        `${shown} is too short for a database: it is damaged or something else`,
      );
    }
    const start = readSalt(path);
    if (start.equals(PLAINTEXT_MAGIC)) {
      throw new DatabaseError(
        'PLAINTEXT',
        `${shown} is an unencrypted database: it was not made by this program`,
      );
    }
    return start;
  } catch (error) {
    throw toDatabaseError(error, `cannot open ${shown}`);
  }
}

/** The first 16 bytes of a file, or all of a shorter one. */
export function readSalt(path: string): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const start = Buffer.alloc(SALT_SIZE_BYTES);
    return start.subarray(0, readSync(descriptor, start, 0, start.length, 0));
  } finally {
    closeSync(descriptor);
  }
}
