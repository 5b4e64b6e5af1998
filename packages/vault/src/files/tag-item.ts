import type { CofferDatabase, FileRow } from '@coffer/database';
import { toFileEntries } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';
import { parseTags } from './tags.ts';

export interface TagChanges {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** Adds and removes tags of a file, or of all files in a folder, in one transaction. Returns the files as they are then. */
export function tagItem(database: CofferDatabase, item: string, changes: TagChanges): FileEntry[] {
  const add = parseTags(changes.add ?? []);
  const remove = parseTags(changes.remove ?? []);
  return database.transaction(() => {
    const rows = rowsOf(database, item);
    for (const { id } of rows) {
      for (const tag of add) database.tags.add(id, tag);
      for (const tag of remove) database.tags.remove(id, tag);
    }
    return toFileEntries(database, rows);
  });
}

/** A file, or all files in a folder, with their tags. */
export function filesOf(database: CofferDatabase, item: string): FileEntry[] {
  return toFileEntries(database, rowsOf(database, item));
}

function rowsOf(database: CofferDatabase, item: string): readonly FileRow[] {
  const resolved = resolveItem(database, item);
  return resolved.kind === 'file' ? [resolved.row] : rowsInFolder(database, resolved.folder);
}
