import { realpathSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setCipherKey } from './cipher-key.ts';
import type { CipherKey } from './cipher-key.ts';
import { Connection } from './connection.ts';
import { openDriver } from './driver.ts';
import type { DriverDatabase } from './driver.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { DatabaseError, invalid } from './errors.ts';
import { ForeignDatabase } from './foreign-database.ts';
import { checkNotHeld } from './open-files.ts';
import { isNotADatabase, toDatabaseError } from './translate-error.ts';

/** The file may be hostile: nothing of its schema is trusted, and nothing of it reaches the disk in clear. */
const PRAGMAS: readonly string[] = [
  'locking_mode = EXCLUSIVE',
  'temp_store = MEMORY',
  'trusted_schema = OFF',
  'cell_size_check = ON',
  'mmap_size = 0',
  'busy_timeout = 0',
  'cache_size = -8192',
];

/**
 * Opens a SQLCipher 4 database that another program made, to read it. `path` is a copy of the caller's, with the `-wal` or `-journal` that
 * belongs to it beside it under the same name: SQLite finishes what a crash left, in the copy, before the first read. Throws `NOT_FOUND`,
 * `WRONG_KEY`, `PLAINTEXT`, `NOT_A_DATABASE`, `IN_USE`, `CORRUPT`, `INVALID` (the key), `UNSUPPORTED_RUNTIME`.
 */
export function openForeignDatabase(options: {
  readonly path: string;
  readonly key: CipherKey;
}): ForeignDatabase {
  const { key } = options;
  if (key.kind === 'passphrase' && key.passphrase.length === 0) throw invalid('a passphrase is not empty');
  const doing = `cannot open ${options.path}`;
  let driver: DriverDatabase;
  try {
    const path = realpathSync(resolve(options.path));
    checkNotHeld(path);
    checkEncryptedFile(path);
    driver = openDriver(path, { fileMustExist: true });
  } catch (error) {
    throw toDatabaseError(error, doing);
  }
  try {
    setCipherKey(driver, key);
    for (const pragma of PRAGMAS) driver.pragma(pragma);
    // Recovers as well; from here on nothing is written.
    driver.prepare('SELECT count(*) FROM sqlite_schema').get();
    driver.pragma('query_only = ON');
    return new ForeignDatabase(new Connection(driver, basename(options.path)));
  } catch (error) {
    driver.close();
    if (!isNotADatabase(error)) throw toDatabaseError(error, doing);
    const message = `the key does not open ${options.path}: it is another one, or this is no SQLCipher 4 database with its usual settings, or its first page is damaged`;
    throw new DatabaseError('WRONG_KEY', message, { cause: error });
  }
}
