import type { CofferDatabase, FileRow } from '@coffer/database';
import { parseFileName, parseFolder } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { joinPath, splitPath, toFileEntries } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { placeFile } from './place-file.ts';
import { isFolder, resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';

/**
 * Moves or renames a file or a folder, as `mv` does: into `destination` when that is a folder or ends with a slash, else to that path.
 * All or nothing, in one transaction. Throws `NOT_FOUND`, `AMBIGUOUS`, `EXISTS`, `INVALID_INPUT`.
 */
export function moveItem(database: CofferDatabase, item: string, destination: string): FileEntry[] {
  if (destination === '') {
    throw new VaultError('INVALID_INPUT', 'the destination is empty', { hint: '`/` is the root folder' });
  }
  return database.transaction(() => {
    const resolved = resolveItem(database, item, { strict: true });
    const target = destination.normalize('NFC').replace(/^\/+/, '');
    const path = target.replace(/\/+$/, '');
    const into = target === '' || target.endsWith('/') || isFolder(database, path);
    const moved =
      resolved.kind === 'file'
        ? [moveFile(database, resolved.row, into ? joinPath(path, resolved.row.name) : path)]
        : moveFolder(
            database,
            resolved.folder,
            into ? joinPath(path, splitPath(resolved.folder).name) : path,
          );
    return toFileEntries(database, moved);
  });
}

function moveFile(database: CofferDatabase, row: FileRow, path: string): FileRow {
  const to = splitPath(path);
  const folder = parseFolder(to.folder);
  const name = parseFileName(to.name);
  if (folder === row.folder && name === row.name) return row;
  checkIsFree(database, folder, name);
  database.files.rename(row.id, folder, name);
  return database.files.get(row.id);
}

/** Throws `EXISTS`: a move replaces nothing. */
function checkIsFree(database: CofferDatabase, folder: string, name: string): void {
  try {
    placeFile(database, folder, name, 'fail');
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'EXISTS') throw error;
    throw new VaultError('EXISTS', error.message, {
      cause: error,
      hint: 'choose another name, or move away what has it',
    });
  }
}

function moveFolder(database: CofferDatabase, from: string, path: string): FileRow[] {
  if (from === '') throw new VaultError('INVALID_INPUT', 'the root folder cannot be moved');
  const to = parseFolder(path);
  if (to === from) return rowsInFolder(database, from);
  if (to.startsWith(`${from}/`)) throw new VaultError('INVALID_INPUT', `${from} cannot be moved into itself`);
  if (database.files.hasFolder(to)) throw new VaultError('EXISTS', `there is a folder ${to} already`);
  return rowsInFolder(database, from).map((row) => {
    const folder = parseFolder(to + row.folder.slice(from.length));
    checkIsFree(database, folder, row.name);
    database.files.rename(row.id, folder, row.name);
    return database.files.get(row.id);
  });
}
