import { accessSync, constants, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildFile } from './build-file.ts';
import { CofferDatabase } from './coffer-database.ts';
import { checkRuntime } from './driver.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { openKeyedConnection } from './keyed-connection.ts';
import { migrate } from './migrate.ts';
import { checkNotHeld, holdFile } from './open-files.ts';
import { checkedPath } from './check-aside.ts';
import { discardUnfinishedCopies } from './copy-aside.ts';
import { discardRekeyed } from './rekey.ts';
import { checkLog } from './salvage/check-log.ts';
import { discardUnfinished } from './salvage/put-in-place.ts';
import { toDatabaseError } from './translate-error.ts';

export interface DatabaseOptions {
  readonly path: string;
  /** 32 bytes, uniform: it is not stretched. The caller keeps it and zeroes it. */
  readonly key: Uint8Array;
  /** What messages call it, where that is not its path: that of the database of which this is a copy. */
  readonly label?: string;
  /** Whether space is set aside for it, in a file beside it: not where nothing is ever removed. It is when this is not given. */
  readonly keepsReserve?: boolean;
}

/**
 * Makes a new database and opens it. The file appears under its name complete, encrypted and durable, or not at all. Throws
 * `EXISTS`, `NO_SPACE`, `NOT_PERMITTED`, `NOT_FOUND` (its folder), `INVALID` (the key), `UNSUPPORTED_RUNTIME`.
 */
export function createDatabase(options: DatabaseOptions): CofferDatabase {
  checkRuntime();
  buildFile(options.path, (temporaryPath) => {
    const connection = openKeyedConnection(temporaryPath, options.key);
    try {
      migrate(connection);
      // Closing would do it too, and say nothing when there is no space for it.
      connection.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      connection.close();
    }
    // A key that did not take effect makes an unencrypted database, without a word.
    checkEncryptedFile(temporaryPath);
  });
  return openDatabase(options);
}

/**
 * Opens a database, brings its schema up to date, and holds it against every other process. Throws `NOT_FOUND`, `WRONG_KEY`,
 * `PLAINTEXT`, `NOT_A_DATABASE`, `SCHEMA_TOO_NEW`, `IN_USE`, `CORRUPT`, `NOT_PERMITTED`, `INVALID`, `UNSUPPORTED_RUNTIME`.
 */
export function openDatabase({
  path,
  key,
  label = path,
  keepsReserve = true,
}: DatabaseOptions): CofferDatabase {
  checkRuntime();
  const realPath = realPathOf(path);
  checkNotHeld(realPath);
  checkWritable(realPath);
  const salt = checkEncryptedFile(realPath, label);
  const shown = label === path ? realPath : label;
  checkLog(realPath, key, shown);
  const connection = openKeyedConnection(realPath, key, shown);
  try {
    // Its owner only: the lock is held.
    discardRekeyed(realPath);
    discardUnfinishedCopies(checkedPath(realPath));
    discardUnfinished(realPath);
    const file = holdFile(realPath);
    try {
      return new CofferDatabase(connection, {
        path: realPath,
        schemaVersion: migrate(connection),
        file,
        salt,
        keepsReserve,
      });
    } catch (error) {
      file.release();
      throw error;
    }
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Its owner writes: a log at every opening. SQLite would call a read-only file system an I/O error. */
function checkWritable(path: string): void {
  try {
    // Asks, and opens nothing.
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw toDatabaseError(error, `cannot open ${path} for writing`);
  }
}

/** SQLite puts the WAL beside the file itself, not beside a link to it. */
function realPathOf(path: string): string {
  try {
    return realpathSync(resolve(path));
  } catch (error) {
    throw toDatabaseError(error, `cannot open ${path}`);
  }
}
