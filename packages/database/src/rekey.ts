import { closeSync, fstatSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { rawKey, setCipherKey } from './cipher-key.ts';
import { buildFile, syncFolder } from './build-file.ts';
import { firstValue } from './connection.ts';
import type { Connection } from './connection.ts';
import { DatabaseError, corrupt } from './errors.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { openKeyedDriver } from './keyed-connection.ts';
import { openDriver } from './driver.ts';

/** The keys of a change of key, 32 bytes each. The caller zeroes them. */
export interface RekeyOptions {
  /** What the database is under now. */
  readonly key: Uint8Array;
  readonly newKey: Uint8Array;
}

const OVERWRITE_STEP_BYTES = 1024 * 1024;

/** Where the database under the new key is made, before it takes the place of the one under the old key. */
function rekeyedPath(path: string): string {
  return `${path}.rekey`;
}

/** Removes what a crash left of a change of key. The database itself is always whole, under one key or the other. */
export function discardRekeyed(path: string): void {
  for (const suffix of ['', '.new', '.new-journal']) rmSync(rekeyedPath(path) + suffix, { force: true });
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
 * the old key opens it, afterwards the new one; there is always a whole database. `onRenamed` is called in between, also when something
 * fails later.
 */
export function putRekeyedInPlace(
  connection: Connection,
  path: string,
  { key, newKey }: RekeyOptions,
  onRenamed: () => void,
): void {
  connection.reopen(() => {
    let old: number | undefined;
    try {
      checkNoLog(path);
      old = openOld(path);
      renameSync(rekeyedPath(path), path);
    } catch (error) {
      if (old !== undefined) closeSync(old);
      return { driver: openKeyedDriver(path, key), error };
    }
    onRenamed();
    try {
      syncFolder(dirname(path));
    } catch (error) {
      if (old !== undefined) closeSync(old);
      return { driver: openKeyedDriver(path, newKey), error };
    }
    if (old !== undefined) overwriteUnlinked(old);
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

/** A descriptor of the file that is about to lose its name. Not on Windows, where an open file can't be replaced. */
function openOld(path: string): number | undefined {
  return process.platform === 'win32' ? undefined : openSync(path, 'r+');
}

/** Overwrites a file that has no name any more with zeros, as far as the medium lets that reach what was there, and closes it. */
function overwriteUnlinked(descriptor: number): void {
  try {
    const { nlink, size } = fstatSync(descriptor);
    // Somebody's hard link to it is a copy like any other, and not ours to destroy.
    if (nlink > 0) return;
    const zeros = new Uint8Array(OVERWRITE_STEP_BYTES);
    for (let done = 0; done < size;) {
      done += writeSync(descriptor, zeros, 0, Math.min(zeros.length, size - done), done);
    }
    fsyncSync(descriptor);
  } catch {
    // The database has its new key all the same; what is left of the old one is what any copy of it is.
  } finally {
    closeSync(descriptor);
  }
}
