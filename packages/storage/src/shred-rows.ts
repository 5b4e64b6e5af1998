import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseError, fileIdToBytes, needlesOfBlob } from '@coffer/database';
import type { FileQuery, FileRow, Residue } from '@coffer/database';
import { StorageError, toStorageError } from './errors.ts';
import { SHREDDING, ifDatabaseAllows } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** Between them other work of the process goes on. */
const PAGES_AT_ONCE = 256;
/** Shorter texts would be found in others. */
const MIN_TEXT_SIZE_BYTES = 8;

/** Values of the mark: what an opening goes on with, and what it does not, because it would fail again. */
const PENDING = '1';
const FAILED = 'failed';

/** What is needed to clear a database of what was deleted from it. */
export interface ShredContext extends StorageContext {
  /** A copy of the database's raw key, for a scan in a child process; zeroed after use. */
  readonly databaseKey: () => Uint8Array;
}

/** Inside the transaction that deletes: from then on an opening finishes what a crash cuts short. */
export function markShredding({ database }: StorageContext): void {
  database.settings.set(SHREDDING, PENDING);
}

/** What would tell, wherever it is left, that files were there. */
export interface Traces {
  /** Their ids, hashes, names and the beginnings of small ones. */
  readonly own: readonly Uint8Array[];
  /** Other files may have these as well. */
  readonly folders: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
}

/** Asked before they are deleted. */
export function tracesOf({ database }: Pick<StorageContext, 'database'>, rows: readonly FileRow[]): Traces {
  const own = rows.flatMap((row) => [
    fileIdToBytes(row.id),
    row.sha256,
    Buffer.from(row.name),
    ...(row.placement === 'blob' ? needlesOfBlob(beginningOf(database, row)) : []),
  ]);
  const tags = database.tags.ofMany(rows.map(({ id }) => id));
  return {
    own,
    folders: new Set(rows.map(({ folder }) => folder)),
    tags: new Set([...tags.values()].flat()),
  };
}

/** Asked afterwards: a folder or tag that a file still has is no trace of those that are gone. */
export function residueOf(
  { database: { files } }: Pick<StorageContext, 'database'>,
  { own, folders, tags }: Traces,
): Uint8Array[] {
  const isGone = (query: FileQuery): boolean => files.list({ ...query, limit: 1 }).rows.length === 0;
  return [
    ...own,
    ...[...folders].filter((folder) => isGone({ folder, recursive: true })).map((text) => Buffer.from(text)),
    ...[...tags].filter((tag) => isGone({ tag })).map((text) => Buffer.from(text)),
  ].filter(({ length }) => length >= MIN_TEXT_SIZE_BYTES);
}

/**
 * Leaves nothing of deleted rows in the database's live files. The log is moved, so that the zeros of `secure_delete` lie over the pages' old
 * places; freed pages are given back; the log is emptied. What SQLite may have copied between the rows of other pages is looked for, and if there is
 * some, the database is written anew, which takes the space of another one. Throws `NO_SPACE`, `DAMAGED`, and keeps the mark then.
 */
export async function shredRows(context: ShredContext, traces: Traces | 'anything'): Promise<void> {
  const { database } = context;
  try {
    // On a full disk a file that would have to grow first can shrink instead.
    await emptyLog(context, { isLast: false });
    await reclaimSpace(context);
    await emptyLog(context, { isLast: true });
    const residue = traces === 'anything' ? traces : residueOf(context, traces);
    if (await isResidueLeft(context, residue)) await rebuild(context);
    database.settings.remove(SHREDDING);
    await emptyLog(context, { isLast: true });
  } catch (error) {
    throw toStorageError(error, 'cannot clear the database of what was deleted');
  }
}

/**
 * Goes on with what a crash cut short, or a full disk. A database that can't be cleared now must still open, and one of which a page is damaged is not read
 * whole at each opening: then only `isAsked` tries again. The mark stays until it is done.
 */
export async function finishShredding(
  context: ShredContext,
  { isAsked }: { isAsked: boolean },
): Promise<void> {
  const mark = markOf(context);
  if (mark === undefined || (mark === FAILED && !isAsked)) return;
  try {
    await shredRows(context, 'anything');
  } catch (error) {
    if (error instanceof StorageError && error.code === 'NO_SPACE') return;
    ifDatabaseAllows(() => {
      context.database.settings.set(SHREDDING, FAILED);
    });
  }
}

/** Gives all free pages back. */
export async function reclaimSpace({ database }: StorageContext): Promise<void> {
  while (database.reclaimSpace(PAGES_AT_ONCE) > 0) await nextTurn();
}

/** Whether something that was deleted may still be in the database's files. */
export function isShredding(context: StorageContext): boolean {
  return markOf(context) !== undefined;
}

function markOf({ database }: StorageContext): string | undefined {
  let mark: string | undefined;
  ifDatabaseAllows(() => {
    mark = database.settings.get(SHREDDING);
  });
  return mark;
}

async function emptyLog({ database }: StorageContext, { isLast }: { isLast: boolean }): Promise<void> {
  try {
    await whenNotScanned(database, () => {
      database.checkpoint('truncate');
    });
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'NO_SPACE' && !isLast) return;
    throw error;
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

async function rebuild(context: ShredContext): Promise<void> {
  await context.database.rebuild(context.databaseKey);
  await emptyLog(context, { isLast: true });
}

async function whenNotScanned(database: StorageContext['database'], work: () => void): Promise<void> {
  for (;;) {
    await database.whenNotScanned();
    try {
      work();
      return;
    } catch (error) {
      // A scan began in between.
      if (!(error instanceof DatabaseError) || error.code !== 'IN_USE') throw error;
    }
  }
}

function beginningOf(database: StorageContext['database'], row: FileRow): Uint8Array {
  try {
    return database.files.getBlob(row.id) ?? new Uint8Array();
  } catch {
    // A page that can't be read is deleted all the same.
    return new Uint8Array();
  }
}
