import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseError } from './errors.ts';
import { discardCopy, discardCopySlowly } from './shred-whole.ts';
import { toDatabaseError } from './translate-error.ts';

/**
 * Makes a file that appears under its name whole and durable, or not at all, and that replaces nothing. `build` fills an
 * empty file (mode 0600) beside it. What a crash left of an earlier attempt is shredded. Throws `EXISTS`.
 */
export function buildFile(path: string, build: (temporaryPath: string) => void): void {
  const { temporaryPath, commit, discard } = beginFile(path);
  try {
    build(temporaryPath);
    commit();
  } catch (error) {
    discard();
    throw toDatabaseError(error, `cannot make ${path}`);
  }
}

/** A file that is being made beside the name that it will have. */
export interface FileInMaking {
  /** Empty, mode 0600. */
  readonly temporaryPath: string;
  /** Makes it durable and gives it its name. Throws `EXISTS`, `NO_SPACE`, `FAILED` (its log is not empty). */
  readonly commit: () => void;
  /** Shreds what there is of it. */
  readonly discard: () => void;
}

/** The same for what takes more than one turn. */
export function beginFile(path: string): FileInMaking {
  const finalPath = resolve(path);
  const temporaryPath = `${finalPath}.new`;
  try {
    checkAbsent(finalPath);
    discardFile(temporaryPath);
    makeEmptyFile(temporaryPath);
  } catch (error) {
    throw toDatabaseError(error, `cannot make ${path}`);
  }
  return {
    temporaryPath,
    commit: () => {
      try {
        syncFile(temporaryPath);
        appear(temporaryPath, finalPath);
      } catch (error) {
        throw toDatabaseError(error, `cannot make ${path}`);
      }
    },
    discard: () => {
      discardFile(temporaryPath);
    },
  };
}

export function checkAbsent(path: string): void {
  // A WAL without its database belongs to one that was lost: it may be all that is left of it.
  for (const name of [path, `${path}-wal`, `${path}-journal`]) {
    if (statSync(name, { throwIfNoEntry: false }) !== undefined) {
      throw new DatabaseError('EXISTS', `${name} exists already`);
    }
  }
}

export function makeEmptyFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** Gives a file that is whole and synced its name, durably. */
export function appear(temporaryPath: string, finalPath: string): void {
  checkComplete(temporaryPath);
  moveIntoPlace(temporaryPath, finalPath);
  syncFolder(dirname(finalPath));
}

/** Unlike a rename, a link never replaces what came there meanwhile; some file systems have no links. */
function moveIntoPlace(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw error;
    renameSync(from, to);
    return;
  }
  rmSync(from);
}

/** What is still in a log would be lost: the log does not move with the file. */
function checkComplete(path: string): void {
  for (const log of [`${path}-wal`, `${path}-journal`]) {
    const size = statSync(log, { throwIfNoEntry: false })?.size;
    if (size === undefined) continue;
    if (size > 0) throw new DatabaseError('FAILED', `the log ${log} could not be emptied`);
    rmSync(log);
  }
}

const PARTS = ['', '-wal', '-journal'] as const;

/** Shreds a file and what SQLite keeps beside it. */
export function discardFile(path: string): void {
  for (const suffix of PARTS) discardCopy(path + suffix);
}

/** The same, in turns with whatever else this process does. */
export async function discardFileSlowly(path: string): Promise<void> {
  for (const suffix of PARTS) await discardCopySlowly(path + suffix);
}

export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the names in a folder durable. Windows has no handle to flush for a folder. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
