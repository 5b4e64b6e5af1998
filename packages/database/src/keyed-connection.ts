import { statSync } from 'node:fs';
import { checkKeySize, setCipherKey } from './cipher-key.ts';
import { Connection, firstValue } from './connection.ts';
import { openDriver } from './driver.ts';
import type { DriverDatabase } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { PAGE_SIZE_BYTES } from './page-layout.ts';
import { isNotADatabase, toDatabaseError } from './translate-error.ts';

/** Before the first access, so that the lock is taken with it and never given back. */
const LOCKING = 'locking_mode = EXCLUSIVE';

/** Before WAL and tables. Later it has no effect, but would write at every opening, and so fail on a full disk. */
const VACUUMING = 'auto_vacuum = INCREMENTAL';

const PRAGMAS: readonly string[] = [
  'journal_mode = WAL',
  'synchronous = FULL',
  // Otherwise sorted rows go to the temporary folder in clear.
  'temp_store = MEMORY',
  'foreign_keys = ON',
  'cell_size_check = ON',
  'trusted_schema = OFF',
  'secure_delete = ON',
  'fullfsync = ON',
  'checkpoint_fullfsync = ON',
  'busy_timeout = 0',
  // More than checkpoint-policy.ts lets it have, so that the file is written over and not cut off and extended again.
  'journal_size_limit = 25165824',
  'wal_autocheckpoint = 0',
  'cache_size = -32768',
];

/** What must be so afterwards: a pragma that is not understood is silently ignored. */
const EXPECTED: readonly (readonly [pragma: string, value: unknown])[] = [
  ['locking_mode', 'exclusive'],
  ['auto_vacuum', 2],
  ['journal_mode', 'wal'],
  ['synchronous', 2],
  ['temp_store', 2],
  ['foreign_keys', 1],
  ['trusted_schema', 0],
  ['secure_delete', 1],
  ['page_size', PAGE_SIZE_BYTES],
];

/**
 * Opens and keys the database file, which must be there (it may be empty), and proves the key by reading. The connection holds the
 * only lock of the file until it is closed. `label` is its name in messages. Throws `WRONG_KEY`, `NOT_A_DATABASE`, `IN_USE`, `CORRUPT`.
 */
export function openKeyedConnection(path: string, key: Uint8Array, label: string = path): Connection {
  return new Connection(openKeyedDriver(path, key, label), label);
}

/** The same without the connection around it. */
export function openKeyedDriver(path: string, key: Uint8Array, label: string = path): DriverDatabase {
  checkKeySize(key);
  // The driver trims the name that it is given, and would then open another file.
  if (path.trim() !== path) throw invalid('the path of a database does not end in white space');
  const doing = `cannot open ${label}`;
  let driver: DriverDatabase;
  try {
    driver = openDriver(path, { fileMustExist: true });
  } catch (error) {
    throw toDatabaseError(error, doing);
  }
  try {
    setCipherKey(driver, { kind: 'raw', key });
    driver.pragma(LOCKING);
    if (statSync(path).size === 0) driver.pragma(VACUUMING);
    for (const pragma of PRAGMAS) driver.pragma(pragma);
    // The only real test of the key is the first read; `journal_mode` has read, this reads the schema as well.
    driver.prepare('SELECT count(*) FROM sqlite_schema').get();
    for (const [pragma, value] of EXPECTED) {
      if (firstValue(driver.pragma(pragma)) !== value)
        throw new DatabaseError('FAILED', `${doing}: ${pragma} could not be set`);
    }
    return driver;
  } catch (error) {
    driver.close();
    throw isNotADatabase(error) ? unreadable(path, label, error) : toDatabaseError(error, doing);
  }
}

/** Says why the first page does not open. */
export function unreadable(path: string, label: string, cause?: unknown): DatabaseError {
  if (statSync(path).size % PAGE_SIZE_BYTES !== 0) {
    return new DatabaseError('NOT_A_DATABASE', `${label} is not a database, or it was cut off`, { cause });
  }
  const message = `the key does not open ${label}: another key made it, or its first page is damaged, or it is something else`;
  return new DatabaseError('WRONG_KEY', message, { cause });
}
