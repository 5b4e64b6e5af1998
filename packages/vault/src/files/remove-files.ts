import type { CofferDatabase, FileRow } from '@coffer/database';
import type { FileStorage } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { toFileEntries } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';

export type RemoveEvent =
  | { readonly type: 'removed'; readonly file: FileEntry }
  | { readonly type: 'planned'; readonly file: FileEntry }
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError };

export interface RemoveOptions {
  /** Without it folders are refused. */
  readonly recursive?: boolean;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** How many files go in one transaction. */
const BATCH_FILES = 500;

/**
 * Removes files, and folders with what is in them. An item that could stand for two things is refused. A file is gone for good when its
 * event is yielded.
 */
export async function* removePaths(
  { database, storage }: { readonly database: CofferDatabase; readonly storage: FileStorage },
  items: readonly string[],
  options: RemoveOptions,
): AsyncGenerator<RemoveEvent, void, undefined> {
  const rows = new Map<string, FileRow>();
  for (const item of items) {
    try {
      for (const row of rowsFor(database, item, options.recursive ?? false)) rows.set(row.id, row);
    } catch (error) {
      yield { type: 'failed', item, error: toVaultError(error) };
    }
  }
  const all = [...rows.values()];
  for (let start = 0; start < all.length; start += BATCH_FILES) {
    if (options.signal?.aborted === true) throw new VaultError('ABORTED', 'it was cancelled');
    const batch = all.slice(start, start + BATCH_FILES);
    const entries = toFileEntries(database, batch);
    if (options.dryRun !== true) {
      try {
        await storage.deleteFiles(batch.map((row) => row.id));
      } catch (error) {
        throw toVaultError(error);
      }
    }
    const type = options.dryRun === true ? 'planned' : 'removed';
    for (const file of entries) yield { type, file };
  }
}

function rowsFor(database: CofferDatabase, item: string, recursive: boolean): readonly FileRow[] {
  const resolved = resolveItem(database, item, { strict: true });
  if (resolved.kind === 'file') return [resolved.row];
  if (!recursive) {
    const name = resolved.folder === '' ? '/' : resolved.folder;
    throw new VaultError('NOT_A_FILE', `${name} is a folder`, {
      hint: 'use -r to remove it and everything in it',
    });
  }
  return rowsInFolder(database, resolved.folder);
}
