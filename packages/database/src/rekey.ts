import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { rawKey, setCipherKey } from './cipher-key.ts';
import { buildFile, syncFolder } from './build-file.ts';
import { firstValue } from './connection.ts';
import type { Connection } from './connection.ts';
import { DatabaseError, corrupt } from './errors.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { openKeyedDriver } from './keyed-connection.ts';
import { openDriver } from './driver.ts';
import { keepReplaced, settleReplaced } from './replaced-file.ts';
import type { Settle } from './replaced-file.ts';
import { discardCopy } from './shred-whole.ts';

/** The keys of a change of key, 32 bytes each. The caller zeroes them. */
export interface RekeyOptions {
  /** What the database is under now. */
  readonly key: Uint8Array;
  readonly newKey: Uint8Array;
}

/** Where the database under the new key is made, before it takes the place of the one under the old key. */
function rekeyedPath(path: string): string {
  return `${path}.rekey`;
}

/**
 * Shreds what a crash left of a change of key: copies under either key, and the old database. The database itself is always whole, under one key or
 * the other.
 */
export function discardRekeyed(path: string): void {
  for (const suffix of ['', '.new', '.new-journal', '.new-wal']) discardCopy(rekeyedPath(path) + suffix);
  settleReplaced(path);
}

/**
 * Makes a copy of the database beside it, under the new key and a new salt: compact, complete, every page read again and authentic, durable.
 * The database is not touched, and can be read and written afterwards.
 *
 * The driver could change the key in place. Not here: a fresh file is verified before anything depends on it, its salt is new, and no page of
 * the old key is mixed with it, in the file or in its log (docs/decisions/0014).
 */
export function buildRekeyed(connection: Connection, path: string, { key, newKey }: RekeyOptions): void {
  discardRekeyed(path);
  buildFile(rekeyedPath(path), (temporaryPath) => {
    connection.run('VACUUM INTO ?', temporaryPath);
    changeKey(temporaryPath, key, newKey);
    checkEncryptedFile(temporaryPath);
    verify(temporaryPath, newKey);
  });
}

/**
 * Puts the copy in the place of the database: closes the connection, renames, opens again under the new key. Before the rename is durable
 * the old key opens it, afterwards the new one; there is always a whole database. `onRenamed` is called in between with the salt of the new one, also when
 * something fails later.
 */
export function putRekeyedInPlace(
  connection: Connection,
  path: string,
  { key, newKey }: RekeyOptions,
  onRenamed: (salt: Uint8Array) => void,
): void {
  connection.reopen(() => {
    let settle: Settle = () => undefined;
    let salt: Uint8Array;
    try {
      checkNoLog(path);
      salt = checkEncryptedFile(rekeyedPath(path));
      settle = keepReplaced(path);
      renameSync(rekeyedPath(path), path);
    } catch (error) {
      settle(false);
      return { driver: openKeyedDriver(path, key), error };
    }
    onRenamed(salt);
    try {
      syncFolder(dirname(path));
    } catch (error) {
      settle(false);
      return { driver: openKeyedDriver(path, newKey), error };
    }
    settle(true);
    return { driver: openKeyedDriver(path, newKey) };
  });
}

/** Only for a file that is thrown away when anything goes wrong: there is no journal, and nothing is synced. */
function changeKey(path: string, key: Uint8Array, newKey: Uint8Array): void {
  const driver = openDriver(path, { fileMustExist: true });
  const raw = rawKey(newKey);
  try {
    setCipherKey(driver, { kind: 'raw', key: key });
    driver.pragma('locking_mode = EXCLUSIVE');
    // What SQLite's "defensive" mode, which the driver sets, would not let us choose.
    driver.unsafeMode(true);
    driver.pragma('journal_mode = OFF');
    driver.pragma('synchronous = OFF');
    driver.prepare('SELECT count(*) FROM sqlite_schema').get();
    driver.rekey(raw);
  } finally {
    raw.fill(0);
    driver.close();
  }
}

/** A copy made by VACUUM has no free pages, so that `quick_check` reads, and so authenticates, every page. */
function verify(path: string, newKey: Uint8Array): void {
  const driver = openDriver(path, { fileMustExist: true });
  try {
    setCipherKey(driver, { kind: 'raw', key: newKey });
    driver.pragma('locking_mode = EXCLUSIVE');
    // Otherwise the first opening would, with a rollback journal beside the database that a loss of power may bring back.
    driver.pragma('journal_mode = WAL');
    if (firstValue(driver.pragma('quick_check(1)')) !== 'ok')
      throw corrupt('the copy of the database under the new key is not whole');
  } finally {
    driver.close();
  }
}

/** A log that is left would be taken for that of the new file. */
function checkNoLog(path: string): void {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0)
    throw new DatabaseError('FAILED', `the log of ${path} could not be emptied`);
}
