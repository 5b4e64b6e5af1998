import type { CofferDatabase, FileRow } from '@coffer/database';
import { StorageError } from '@coffer/storage';
import type { DeleteResult, FileStorage } from '@coffer/storage';
import { VaultError } from '../errors.ts';
import { toVaultError } from '../to-vault-error.ts';
import { emptyLog } from './empty-log.ts';
import { toFileEntries } from './file-entry.ts';
import type { FileEntry } from './file-entry.ts';
import { resolveItem } from './resolve-item.ts';
import { rowsInFolder } from './rows-in-folder.ts';

export type RemoveEvent =
  | {
      readonly type: 'removed';
      readonly file: FileEntry;
      /** Only with `shred`: whether nothing of it is left in any live file of the vault. */
      readonly shredded?: boolean;
    }
  | { readonly type: 'planned'; readonly file: FileEntry }
  /** An item that was not removed; or, after their `removed` events, why something of files that were may be left. */
  | { readonly type: 'failed'; readonly item: string; readonly error: VaultError };

export interface RemoveOptions {
  /** Without it folders are refused. */
  readonly recursive?: boolean;
  /** Also empty the database's log and clear its pages before a file's event: no live file of the vault has its key or bytes then. */
  readonly shred?: boolean;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

interface RemoveContext {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
}

/** How many files go in one transaction. */
const BATCH_FILES = 500;

/**
 * Removes files, and folders with what is in them. An item that could stand for two things is refused. A file is gone for good when its
 * event is yielded.
 */
export async function* removePaths(
  context: RemoveContext,
  items: readonly string[],
  options: RemoveOptions,
): AsyncGenerator<RemoveEvent, void, undefined> {
  const { database } = context;
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
    if (options.dryRun === true) {
      for (const file of toFileEntries(database, batch)) yield { type: 'planned', file };
    } else {
      yield* removeBatch(context, batch, options.shred ?? false);
    }
  }
}

/** On a full disk, where many at once need more than the space that is set aside for deleting, half of them after the other half. */
async function* removeBatch(
  context: RemoveContext,
  batch: readonly FileRow[],
  shred: boolean,
): AsyncGenerator<RemoveEvent, void, undefined> {
  const { database, storage } = context;
  const entries = toFileEntries(database, batch);
  let result: DeleteResult | undefined;
  try {
    result = await storage.deleteFiles(
      batch.map((row) => row.id),
      { shred },
    );
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'NO_SPACE') || batch.length === 1)
      throw toVaultError(error);
  }
  if (result === undefined) {
    const half = Math.ceil(batch.length / 2);
    for (const part of [batch.slice(0, half), batch.slice(half)]) {
      emptyLog(database);
      yield* removeBatch(context, part, shred);
    }
    return;
  }
  const { pending, notShredded } = result;
  const left = new Set<string>(pending.map(({ id }) => id));
  for (const file of entries) {
    const isShredded = notShredded === undefined && !left.has(file.id);
    yield { type: 'removed', file, ...(shred ? { shredded: isShredded } : {}) };
  }
  for (const { path } of entries.filter(({ id }) => left.has(id)))
    yield { type: 'failed', item: path, error: notOverwritten(path) };
  if (notShredded !== undefined)
    yield { type: 'failed', item: 'data.db', error: notCleared(entries.length, notShredded) };
}

function notOverwritten(path: string): VaultError {
  return new VaultError('FAILED', `${path} was removed, but its sealed file could not be overwritten`, {
    hint: 'the next command that opens the vault tries again; `coffer doctor` shows what is left',
  });
}

function notCleared(files: number, cause: StorageError): VaultError {
  const what = files === 1 ? '1 file was removed' : `${String(files)} files were removed`;
  const { code } = toVaultError(cause);
  const hint = 'free some space; the next command that opens the vault goes on';
  return new VaultError(code, `${what}, but the database could not be cleared of it: ${cause.message}`, {
    cause,
    ...(code === 'NO_SPACE' ? { hint } : {}),
  });
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
