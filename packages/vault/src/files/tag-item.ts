import type { CofferDatabase } from '@coffer/database';
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
    const resolved = resolveItem(database, item);
    const rows = resolved.kind === 'file' ? [resolved.row] : rowsInFolder(database, resolved.folder);
    for (const { id } of rows) {
      for (const tag of add) database.tags.add(id, tag);
      for (const tag of remove) database.tags.remove(id, tag);
    }
    return toFileEntries(database, rows);
  });
}
