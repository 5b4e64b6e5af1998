import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseError, fileIdToBytes, needlesOfBlob } from '@coffer/database';
import type { FileRow, Residue } from '@coffer/database';
import { StorageError, toStorageError } from './errors.ts';
import { SHREDDING, ifDatabaseAllows } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** Between them other work of the process goes on. */
const PAGES_AT_ONCE = 256;
/** Writing a database anew goes by way of memory. */
const MAX_REBUILT_SIZE_BYTES: number = 512 * 1024 * 1024;
const MIN_NAME_SIZE_BYTES = 8;

/** What is needed to clear a database of what was deleted from it. */
export interface ShredContext extends StorageContext {
  /** A copy of the database's raw key, for a scan in a child process; zeroed after use. */
  readonly databaseKey: () => Uint8Array;
}

/** Inside the transaction that deletes: from then on an opening finishes what a crash cuts short. */
export function markShredding({ database }: StorageContext): void {
  database.settings.set(SHREDDING, '1');
}

/** What would tell, wherever it is left, that these files were there: their ids, hashes, names and the beginnings of small ones. */
export function residueOf({ database }: StorageContext, rows: readonly FileRow[]): Uint8Array[] {
  return rows.flatMap((row) => {
    const name = Buffer.from(row.name);
    return [
      fileIdToBytes(row.id),
      row.sha256,
      // A shorter one would be found in other names.
      ...(name.length < MIN_NAME_SIZE_BYTES ? [] : [name]),
      ...(row.placement === 'blob' ? needlesOfBlob(beginningOf(database, row)) : []),
    ];
  });
}

/**
 * Leaves nothing of deleted rows in the database's live files. The log is moved, so that the zeros of `secure_delete` lie over the pages' old
 * places; freed pages are given back; the log is emptied. What SQLite may have copied between the rows of other pages is looked for with
 * `residue`, and if there is some, the database is written anew. Throws `NO_SPACE`, `TOO_LARGE` (for writing it anew), and keeps the mark then.
 */
export async function shredRows(context: ShredContext, residue: Residue): Promise<void> {
  const { database } = context;
  try {
    // On a full disk a file that would have to grow first can shrink instead.
    await emptyLog(context, { isLast: false });
    while (database.reclaimSpace(PAGES_AT_ONCE) > 0) await nextTurn();
    await emptyLog(context, { isLast: true });
    if (await isResidueLeft(context, residue)) await rebuild(context);
    database.settings.remove(SHREDDING);
    await emptyLog(context, { isLast: true });
  } catch (error) {
    throw toStorageError(error, 'cannot clear the database of what was deleted');
  }
}

/** What a crash cut short, or a full disk. A database that can't be cleared now must still open. */
export async function finishShredding(context: ShredContext): Promise<void> {
  const { database } = context;
  if (!isShredding(context)) return;
  try {
    await shredRows(context, 'anything');
  } catch (error) {
    if (error instanceof StorageError && error.code === 'NO_SPACE') return;
    // Nothing will be different at the next opening.
    ifDatabaseAllows(() => {
      database.settings.remove(SHREDDING);
    });
  }
}

/** Whether something that was deleted may still be in the database's files. */
export function isShredding({ database }: StorageContext): boolean {
  let isMarked = false;
  ifDatabaseAllows(() => {
    isMarked = database.settings.get(SHREDDING) !== undefined;
  });
  return isMarked;
}

async function emptyLog({ database }: StorageContext, { isLast }: { isLast: boolean }): Promise<void> {
  for (;;) {
    await database.whenNotScanned();
    try {
      database.checkpoint('truncate');
      break;
    } catch (error) {
      const code = error instanceof DatabaseError ? error.code : undefined;
      if (code === 'NO_SPACE' && !isLast) return;
      // A scan began in between.
      if (code !== 'IN_USE') throw error;
    }
  }
  if (database.walSizeBytes() > 0)
    throw new StorageError('FAILED', 'the log of the database could not be emptied');
}

async function isResidueLeft({ database, databaseKey }: ShredContext, residue: Residue): Promise<boolean> {
  const key = databaseKey();
  try {
    const { residuePages = [] } = await database.scanPages({ key, residue });
    return residuePages.length > 0;
  } finally {
    key.fill(0);
  }
}

async function rebuild(context: StorageContext): Promise<void> {
  const { database } = context;
  // Asked of the name: nothing may open the database's file beside SQLite.
  if (statSync(database.path).size > MAX_REBUILT_SIZE_BYTES) {
    throw new StorageError(
      'TOO_LARGE',
      'parts of what was deleted may be left between the rows of data.db, which is too large to be written anew; a new vault with the same files has none',
    );
  }
  database.rebuild();
  await emptyLog(context, { isLast: true });
}

function beginningOf(database: StorageContext['database'], row: FileRow): Uint8Array {
  try {
    return database.files.getBlob(row.id) ?? new Uint8Array();
  } catch {
    // A page that can't be read is deleted all the same.
    return new Uint8Array();
  }
}
