import { chmodSync, closeSync, lstatSync, openSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { openDriver } from './driver.ts';
import type { DriverDatabase } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { findLockHolder } from './lock-holder.ts';
import { checkNotHeld, holdFile } from './open-files.ts';
import { toDatabaseError } from './translate-error.ts';

const OWNER_ONLY = 0o600;

/** Held until released or disposed of, or until the process ends in whatever way. */
export interface OwnerLock extends Disposable {
  release(): void;
}

/**
 * Takes the lock `path`, a file of its own that is made when needed, 0600, stays empty and must never be replaced nor opened for
 * anything else. Throws `IN_USE` when another process, or this one, has it (with the number of the process, where that is known), and `NOT_PERMITTED` when there is a link in its place, which could lead
 * to a file that is somebody's.
 *
 * Node has no flock: this is the advisory lock of the operating system that SQLite takes on a database it writes to.
 */
export function acquireOwnerLock(path: string): OwnerLock {
  const lockPath = realPathOf(path);
  if (lockPath.trim() !== lockPath) throw invalid('the path of a lock does not end in white space');
  const doing = `cannot lock ${lockPath}`;
  let driver: DriverDatabase | undefined;
  try {
    prepareFile(lockPath);
    checkNotHeld(lockPath);
    driver = openDriver(lockPath, { fileMustExist: false });
    driver.pragma('locking_mode = EXCLUSIVE');
    driver.pragma('journal_mode = MEMORY');
    driver.exec('BEGIN EXCLUSIVE');
    return new HeldLock(driver, holdFile(lockPath).release);
  } catch (error) {
    driver?.close();
    const translated = toDatabaseError(error, doing);
    if (translated.code === 'IN_USE' && translated !== error) throw withHolder(translated, lockPath);
    if (translated.code !== 'CORRUPT') throw translated;
    throw new DatabaseError('NOT_A_DATABASE', `${doing}: it is not a lock file`, { cause: error });
  }
}

/**
 * Keeps the owner of the lock `path` out while this process reads, beside others that read, and can be had where nothing may be written. Throws `IN_USE` when somebody owns
 * the lock. Holds nothing where there is no such file, this user may not read it, or the file system has no locks.
 */
export function acquireReaderLock(path: string): OwnerLock {
  const lockPath = realPathOf(path);
  checkNotHeld(lockPath);
  let driver: DriverDatabase | undefined;
  try {
    // Anything else but a file would be followed, or waited for.
    if (lstatSync(lockPath, { throwIfNoEntry: false })?.isFile() !== true) return NO_LOCK;
    driver = openDriver(lockPath, { fileMustExist: true, readonly: true });
    // Keeps the lock of the first read.
    driver.pragma('locking_mode = EXCLUSIVE');
    driver.prepare('SELECT count(*) FROM sqlite_schema').get();
    return new HeldLock(driver, () => undefined);
  } catch (error) {
    driver?.close();
    const translated = toDatabaseError(error, `cannot lock ${lockPath}`);
    if (translated.code !== 'IN_USE') return NO_LOCK;
    throw withHolder(translated, lockPath);
  }
}

const NO_LOCK: OwnerLock = { release: () => undefined, [Symbol.dispose]: () => undefined };

function withHolder(error: DatabaseError, path: string): DatabaseError {
  const pid = findLockHolder(path);
  if (pid === undefined) return error;
  return new DatabaseError(error.code, `${error.message} (pid ${String(pid)})`, { cause: error.cause });
}

/** SQLite would follow a link, and make the file with whatever mode the umask leaves. */
function prepareFile(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    try {
      // Nobody can hold a lock on a file that is not there: closing it drops none.
      closeSync(openSync(path, 'wx', OWNER_ONLY));
    } catch (error) {
      // Another process was faster.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    return;
  }
  if (!stats.isFile()) {
    throw new DatabaseError(
      'NOT_PERMITTED',
      `${path} is a link or a folder, not the lock file it has to be: remove it`,
    );
  }
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY);
}

class HeldLock implements OwnerLock {
  readonly #driver: DriverDatabase;
  readonly #forget: () => void;

  constructor(driver: DriverDatabase, forget: () => void) {
    this.#driver = driver;
    this.#forget = forget;
  }

  release(): void {
    if (!this.#driver.open) return;
    this.#driver.close();
    this.#forget();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function realPathOf(path: string): string {
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch (error) {
    throw toDatabaseError(error, `cannot lock ${absolute}`);
  }
}
