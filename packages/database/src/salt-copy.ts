import { closeSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs';
import { checkEncryptedFile, readSalt } from './encrypted-file.ts';
import { SALT_SIZE_BYTES } from './page-layout.ts';
import { toDatabaseError } from './translate-error.ts';

/** Of a vault's database it is the space set aside, which begins with the copy; beside the database of a backup, the copy alone. */
export function saltCopyPath(databasePath: string): string {
  return `${databasePath}.reserve`;
}

/**
 * The salt that the database had when the copy was made; `undefined` when there is no copy, or none that can be read. Nothing authenticates it but the pages that are authentic with it.
 */
export function readSaltCopy(databasePath: string): Buffer | undefined {
  const path = saltCopyPath(databasePath);
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size >= SALT_SIZE_BYTES ? readSalt(path) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a copy of the salt for a database that is not open, for which no space is set aside that begins with one. It is durable but for the folder's own entry, which is the caller's to sync. `salt` is
 * the database's own when it is not given. Throws `EXISTS`, `NO_SPACE`, `NOT_PERMITTED`, and what opening throws of a file that is no database.
 */
export function writeSaltCopy(
  databasePath: string,
  salt: Uint8Array = checkEncryptedFile(databasePath),
): void {
  const path = saltCopyPath(databasePath);
  try {
    const descriptor = openSync(path, 'wx', 0o600);
    try {
      for (let written = 0; written < salt.length;) written += writeSync(descriptor, salt, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw toDatabaseError(error, `cannot write ${path}`);
  }
}
