import type { FileId, FileRow } from '@coffer/database';
import { noteDamage } from './condition.ts';
import { toStorageError } from './errors.ts';
import type { StorageError } from './errors.ts';
import { replacedPath } from './replace-file.ts';
import { shredFile } from './sealed-folder.ts';
import { markShredding, shredRows, tracesOf } from './shred-rows.ts';
import type { ShredContext } from './shred-rows.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

export interface DeleteResult {
  readonly deleted: readonly FileRow[];
  /** Deleted, but the sealed file could not be removed yet: the next opening of the storage tries again. */
  readonly pending: readonly FileRow[];
  /** With `shred`: why something of them may still be in the database's files. The next opening of the storage tries again. */
  readonly notShredded?: StorageError;
}

export interface DeleteOptions {
  /** Do not return before nothing of the files is left in the database, its free pages and its log. */
  readonly shred?: boolean;
}

/**
 * Deletes files, all or none. The transaction that removes the rows and leaves tombstones is the point of no return; then headers
 * (the only copies of the files' keys) are zeroed, the sealed files unlinked, the tombstones removed. Throws `NOT_FOUND`, `NO_SPACE`: then
 * nothing was deleted.
 */
export async function deleteFiles(
  context: ShredContext,
  ids: readonly FileId[],
  { shred = false }: DeleteOptions = {},
): Promise<DeleteResult> {
  try {
    const { files } = context.database;
    const traces = shred
      ? tracesOf(
          context,
          ids.map((id) => files.get(id)),
        )
      : undefined;
    const deleted = context.database.transaction(
      () => {
        if (shred) markShredding(context);
        return ids.map((id) => buryFile(context, id));
      },
      { freesSpace: true },
    );
    const pending = await removeBuried(context, deleted);
    if (traces === undefined) return { deleted, pending };
    try {
      await shredRows(context, traces);
      return { deleted, pending };
    } catch (error) {
      return { deleted, pending, notShredded: toStorageError(error, 'cannot shred') };
    }
  } catch (error) {
    throw toStorageError(error, 'cannot delete');
  }
}

/** Inside a transaction: removes the row and, for a sealed file, leaves a tombstone. */
export function buryFile(context: StorageContext, id: FileId): FileRow {
  const { files, tombstones } = context.database;
  const row = files.get(id);
  files.remove(id);
  if (row.condition !== 'ok') noteDamage(context, id, false);
  if (row.placement === 'sealed') {
    markUnclean(context);
    tombstones.add(id, context.nowMs());
  }
  return row;
}

/**
 * After the transaction: makes the sealed files of buried rows unreadable and gone. Returns those that resisted. While a backup runs this waits
 * until it has its copy of each.
 */
export async function removeBuried(
  context: StorageContext,
  rows: readonly FileRow[],
): Promise<readonly FileRow[]> {
  const sealed = rows.filter((row) => row.placement === 'sealed');
  if (sealed.length === 0) return [];
  const pending: FileRow[] = [];
  const gone: FileRow[] = [];
  for (const row of sealed) {
    try {
      await context.shredGate.pass(row);
      await context.turns.take(row.id, async () => {
        const path = context.folder.sealedPath(row.id);
        await shredFile(path);
        await shredFile(context.folder.temporaryPath(row.id));
        await shredFile(replacedPath(path));
      });
      gone.push(row);
    } catch {
      // The file is deleted all the same: its tombstone makes the next opening try again.
      pending.push(row);
    }
  }
  try {
    await context.folder.sync();
    context.database.transaction(
      () => {
        for (const row of gone) context.database.tombstones.remove(row.id);
      },
      { freesSpace: true },
    );
  } catch {
    return sealed;
  }
  return pending;
}
