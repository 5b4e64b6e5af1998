import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../build-file.ts';
import { DatabaseError } from '../errors.ts';
import { discardCopy } from '../shred-whole.ts';
import { toDatabaseError } from '../translate-error.ts';

/** The new database, complete and durable under this name, before it takes its place. */
export function rebuiltPath(path: string): string {
  return `${path}.rebuilt`;
}

/** Shreds what a crash left of a new database that was not complete. */
export function discardUnfinished(path: string): void {
  for (const suffix of ['.new', '.new-wal', '.new-journal']) discardCopy(rebuiltPath(path) + suffix);
}

/** Where the damaged database is kept; its log beside it, as that of any database. */
function keptPath(path: string): string {
  return `${path}.damaged`;
}

/** Whether a damaged database was put aside when this one was made of it. */
export function keepsDamaged(path: string): boolean {
  return exists(keptPath(path)) || exists(`${keptPath(path)}-wal`);
}

/** Throws `EXISTS` when there is one already: it is never replaced. */
export function checkNothingKept(path: string): void {
  if (!keepsDamaged(path)) return;
  throw new DatabaseError(
    'EXISTS',
    `${keptPath(path)} is kept from an earlier time: move it away, or remove it`,
  );
}

/**
 * Finishes a rebuilding, if one has come so far that its new database is complete: the log and the damaged database get out of the way under the names they are kept by, and the new one is
 * put in place. Can be repeated after a crash at any point, by whoever holds the owner's lock, before the database is opened. Returns whether there was one.
 */
export function putRebuiltInPlace(path: string): boolean {
  if (!exists(rebuiltPath(path))) return false;
  try {
    // The log first: with the new database it would be taken for its own. Between the renames there may be no database, and the new one is found by its name.
    moveAside(`${path}-wal`, `${keptPath(path)}-wal`);
    moveAside(path, keptPath(path));
    renameSync(rebuiltPath(path), path);
    syncFolder(dirname(path));
    return true;
  } catch (error) {
    throw toDatabaseError(error, `cannot put the rebuilt database ${path} in its place`);
  }
}

function moveAside(from: string, to: string): void {
  if (!exists(from)) return;
  // Nothing that is kept is ever replaced: it was not there when rebuilding began.
  if (exists(to)) throw new DatabaseError('EXISTS', `${to} exists already`);
  renameSync(from, to);
  syncFolder(dirname(from));
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
