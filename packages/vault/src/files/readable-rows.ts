import { DatabaseError } from '@coffer/database';
import type { CofferDatabase, FileQuery, FileRow } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { joinPath, toFileEntries, toFileEntry } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';

/** What there is of an item, also where the database is damaged. */
export interface ReadableRows {
  /** The folder that the item is; `undefined` for a file. */
  readonly folder: string | undefined;
  readonly rows: readonly FileRow[];
  /** What belongs to the item, or may, and can't be read. */
  readonly lost: readonly LostItem[];
}

/** A file that is known to be there, or may be, and can't be read. */
export interface LostItem {
  readonly item: string;
  readonly error: VaultError;
}

/**
 * The files of an item. One damaged page costs what is on it: then every row that can be read is looked at, which needs neither the
 * order of the paths nor all of the table. Throws as `resolveItem` does, and `DAMAGED` when nothing of the item is found.
 */
export function findReadableRows(database: CofferDatabase, item: string): ReadableRows {
  try {
    const resolved = resolveItem(database, item);
    if (resolved.kind === 'file') return { folder: undefined, rows: [resolved.row], lost: [] };
    return { folder: resolved.folder, rows: rowsInFolder(database, resolved.folder), lost: [] };
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return surveyItem(database, item, error);
  }
}

/** A page of a listing, also where the database is damaged. */
export interface FileListing {
  readonly files: readonly FileEntry[];
  readonly nextCursor: string | undefined;
  /** What may belong to the listing, and can't be read: the same on each page that comes upon it. */
  readonly lost: readonly LostItem[];
}

/** The files of a query. Where pages are damaged, those that can be read. Throws `DAMAGED` when nothing can. */
export function listReadable(database: CofferDatabase, query: FileQuery): FileListing {
  try {
    const { rows, nextCursor } = database.files.list(query);
    return { files: toReadableEntries(database, rows), nextCursor, lost: [] };
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    const { rows, nextCursor, lost, isComplete } = database.files.listReadable(query);
    const items = lost.map(({ folder, name }) => joinPath(folder, name));
    return {
      files: toReadableEntries(database, rows),
      nextCursor,
      lost: [...items.map((item) => ({ item, error: rowLost(item) })), ...(isComplete ? [] : [mayBeMore()])],
    };
  }
}

function toReadableEntries(database: CofferDatabase, rows: readonly FileRow[]): FileEntry[] {
  try {
    return toFileEntries(database, rows);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return rows.map((row) => toReadableEntry(database, row));
  }
}

function mayBeMore(): LostItem {
  const error = new VaultError('DAMAGED', 'there may be more files: pages of data.db cannot be read', {
    hint: 'run `coffer check` to see everything that is damaged and what to do',
  });
  return { item: 'data.db', error };
}

/** A file as it is shown. Tags that can't be read are left out: they cost no file. */
export function toReadableEntry(database: CofferDatabase, row: FileRow): FileEntry {
  try {
    return toFileEntries(database, [row])[0] ?? toFileEntry(row, []);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return toFileEntry(row, []);
  }
}

function surveyItem(database: CofferDatabase, item: string, cause: unknown): ReadableRows {
  const wanted = item.normalize('NFC').replace(/^\/+|\/+$/g, '');
  const rows: FileRow[] = [];
  const lost: LostItem[] = [];
  const isWanted = (folder: string): boolean =>
    wanted === '' || folder === wanted || folder.startsWith(`${wanted}/`);
  try {
    for (const { file, row } of database.files.survey()) {
      const path = joinPath(file.folder, file.name);
      if (row !== undefined && [path, file.id, `id:${file.id}`].includes(wanted))
        return { folder: undefined, rows: [row], lost: [] };
      if (path !== wanted && !isWanted(file.folder)) continue;
      if (row === undefined) lost.push({ item: path, error: rowLost(path) });
      else rows.push(row);
    }
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    // There may be more: what can be read no further is said beside what was found.
    lost.push({ item, error: toVaultError(error) });
  }
  if (rows.length === 0 && lost.length === 0) throw cause;
  rows.sort((a, b) => (joinPath(a.folder, a.name) < joinPath(b.folder, b.name) ? -1 : 1));
  return { folder: wanted, rows, lost };
}

function rowLost(path: string): VaultError {
  return new VaultError('DAMAGED', `${path} cannot be read: its page of the database is damaged`, {
    hint: 'put data.db back from a backup, or get this file out of one',
  });
}

function isCorrupt(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'CORRUPT';
}
