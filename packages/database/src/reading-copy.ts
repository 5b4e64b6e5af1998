import { existsSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { chmod, constants, copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEncryptedFile } from './encrypted-file.ts';
import { DatabaseError } from './errors.ts';
import { acquireOwnerLock } from './owner-lock.ts';
import type { OwnerLock } from './owner-lock.ts';
import { rebuiltPath } from './salvage/put-in-place.ts';
import { toDatabaseError } from './translate-error.ts';

const PREFIX = 'coffer-reading-';
const LOCK = 'owner.lock';
/** With its log, which may have what was written last. */
const PARTS = ['', '-wal'] as const;
/** Another process may take a folder without a lock for one that was left behind, in the moment before this one locks it. */
const ATTEMPTS = 10;

/** A copy of a database whose own folder can't be written to, encrypted as the database is. It goes with this object. */
export interface ReadingCopy extends Disposable {
  readonly path: string;
}

/**
 * Copies a database, with its log, to a private folder in the temporary one: SQLite reads no database in WAL mode where it can write nothing beside it. What a killed process
 * left of another copy is removed. Throws `NO_SPACE`, `NOT_FOUND` (the database), `NOT_PERMITTED` (also when there is no temporary folder), `PLAINTEXT`, `NOT_A_DATABASE`, and `IN_USE` when somebody writes to the database meanwhile.
 */
export async function copyForReading(source: string): Promise<ReadingCopy> {
  try {
    // Where rebuilding it was cut short at the last moment, the new one is the one that counts.
    const original = realpathSync(existsSync(rebuiltPath(source)) ? rebuiltPath(source) : source);
    // Nothing else but what is encrypted is copied.
    checkEncryptedFile(original, source);
    checkTemporaryFolder(source);
    removeLeftBehind();
    const { folder, lock } = makeFolder();
    const copy = {
      path: join(folder, 'data.db'),
      [Symbol.dispose]: () => {
        removeFolder(folder, lock);
      },
    };
    try {
      await copyParts(original, copy.path);
      return copy;
    } catch (error) {
      copy[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    throw toDatabaseError(error, `cannot copy ${source} to ${tmpdir()}, to read it there`);
  }
}

/** What is not found is the database. */
function checkTemporaryFolder(source: string): void {
  const folder = tmpdir();
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new DatabaseError(
    'NOT_PERMITTED',
    `cannot copy ${source} to ${folder}, to read it there: there is no such folder`,
  );
}

async function copyParts(from: string, to: string): Promise<void> {
  const before = PARTS.map((end) => stateOf(from + end));
  for (const [index, end] of PARTS.entries()) {
    if (before[index] === undefined) continue;
    // Shares the blocks where the file system can.
    await copyFile(from + end, to + end, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(to + end, 0o600);
  }
  // Where its lock could not be asked for, only this tells of a process that writes.
  if (PARTS.some((end, index) => stateOf(from + end) !== before[index]))
    throw new DatabaseError('IN_USE', `${from} was written to while it was copied`);
}

/** `undefined` when there is no file of that name. */
function stateOf(path: string): string | undefined {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() !== true ? undefined : [stats.ino, stats.size, stats.mtimeNs].map(String).join(' ');
}

function makeFolder(): { readonly folder: string; readonly lock: OwnerLock } {
  for (let attempt = 1; ; attempt++) {
    // 0700
    const folder = mkdtempSync(join(tmpdir(), PREFIX));
    try {
      return { folder, lock: acquireOwnerLock(join(folder, LOCK)) };
    } catch (error) {
      const isTaken = error instanceof DatabaseError && ['IN_USE', 'NOT_FOUND'].includes(error.code);
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

function removeFolder(folder: string, lock: OwnerLock): void {
  // Before the folder, for Windows; whoever takes it now wants to remove it, too.
  lock.release();
  rmSync(folder, { recursive: true, force: true });
}

/** What is locked belongs to a process that reads; what can't be removed now can be the next time. */
function removeLeftBehind(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(tmpdir(), name);
    try {
      const stats = lstatSync(folder);
      if (!stats.isDirectory() || stats.uid !== (process.getuid?.() ?? stats.uid)) continue;
      removeFolder(folder, acquireOwnerLock(join(folder, LOCK)));
    } catch {
      continue;
    }
  }
}
