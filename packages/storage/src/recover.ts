import type { FileId, FileRow } from '@coffer/database';
import { markCondition } from './condition.ts';
import { StorageError, toStorageError } from './errors.ts';
import { replacedPath, settleReplaced } from './replace-file.ts';
import { shredFile, syncFolder } from './sealed-folder.ts';
import type { KnownName, SealedName } from './sealed-folder.ts';
import { measureSealedFile } from './sealed-length.ts';
import type { SealedLength } from './sealed-length.ts';
import { ifSpaceAllows, markClean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** What a recovery found and did. Every list is empty after a clean close. */
export interface Recovery {
  /** Durable before a crash, and now under their final name. */
  readonly finished: readonly FileId[];
  /** Begun and not saved, or deleted: made unreadable and removed. */
  readonly removed: readonly FileId[];
  /** Sealed files that no row names, moved to `quarantine/` untouched: their paths. */
  readonly quarantined: readonly string[];
  /** Files that should have been renamed, moved or removed but could not be: the next recovery tries again. */
  readonly pending: readonly FileId[];
  /** Files whose sealed file is missing or of the wrong length. Their rows are marked, never deleted. */
  readonly damaged: readonly FileId[];
}

/**
 * Finishes or undoes what a crash left in the `files/` folder. Only the owner of the storage may do so. It can be run again at
 * any time, also after a crash of its own.
 *
 * | found | with | done |
 * | --- | --- | --- |
 * | `.enc.tmp` | a row | renamed |
 * | `.enc.tmp` | no row | shredded |
 * | `.enc` | a tombstone | shredded |
 * | `.enc` | neither | moved to `quarantine/`; when it is there already, under that name too, only unlinked here |
 * | `.enc.replaced` | another `.enc` | shredded |
 * | `.enc.replaced` | the same `.enc` | loses this name |
 * | `.enc.replaced` | no `.enc` | renamed |
 * | `.enc.part` | a transfer that can go on | kept |
 * | `.enc.part` | none | shredded |
 * | a row | no file, or one of the wrong length | marked |
 * | any other name | | left alone |
 *
 * Temporary and replaced files in `quarantine/` likewise: the files that they were to become, or were, are there.
 */
export async function recover(context: StorageContext): Promise<Recovery> {
  try {
    return await recoverFolder(context);
  } catch (error) {
    throw toStorageError(error, 'cannot recover the storage');
  }
}

async function recoverFolder(context: StorageContext): Promise<Recovery> {
  const { folder } = context;
  const done: Done = { finished: [], removed: [], quarantined: [] };
  const pending = new Set<FileId>();

  const names = (await folder.names()).map((name) => folder.parseName(name));
  for (const name of ordered(names)) {
    try {
      await context.turns.take(name.id, () => settle(context, name, done));
    } catch {
      // One file that can't be moved must not keep the whole vault closed.
      pending.add(name.id);
    }
  }
  if (names.length > 0) await folder.sync();
  await settleQuarantine(context, pending);
  removeTombstones(context, pending);
  const damaged = await markRows(context);
  if (pending.size === 0) {
    context.unsettled.clear();
    markClean(context);
  }
  return { ...done, pending: [...pending], damaged };
}

interface Done {
  readonly finished: FileId[];
  readonly removed: FileId[];
  readonly quarantined: string[];
}

async function settle(context: StorageContext, name: KnownName, done: Done): Promise<void> {
  const { folder, database } = context;
  const { id } = name;
  const hasRow = database.files.find(id)?.placement === 'sealed';
  switch (name.kind) {
    case 'temporary':
      if (hasRow && (await folder.sealedSizeBytes(id)) === undefined) {
        await folder.promote(id);
        done.finished.push(id);
        return;
      }
      await shredFile(folder.temporaryPath(id));
      done.removed.push(id);
      return;
    case 'replaced':
      await settleReplacedFile(context, id, done);
      return;
    case 'partial':
      if (database.transfers.isResumableFile(id)) return;
      await shredFile(folder.partialPath(id));
      done.removed.push(id);
      return;
    case 'sealed':
      if (hasRow) return;
      if (database.tombstones.has(id)) {
        await shredFile(folder.sealedPath(id));
        done.removed.push(id);
        return;
      }
      // An older database put back knows nothing of newer files: they must survive that.
      done.quarantined.push(await folder.quarantine(id));
  }
}

/** What is left of sealing a file again. */
async function settleReplacedFile(context: StorageContext, id: FileId, done: Done): Promise<void> {
  const { folder, database } = context;
  const path = folder.sealedPath(id);
  const hasRow = database.files.find(id)?.placement === 'sealed';
  if (!hasRow && database.tombstones.has(id)) {
    await shredFile(replacedPath(path));
    done.removed.push(id);
    return;
  }
  const settled = await settleReplaced(path);
  if (settled === 'removed') done.removed.push(id);
  if (settled !== 'moved back') return;
  if (hasRow) done.finished.push(id);
  else done.quarantined.push(await folder.quarantine(id));
}

async function settleQuarantine({ folder, turns }: StorageContext, pending: Set<FileId>): Promise<void> {
  const leftOvers = await folder.quarantineLeftOvers().catch((error: unknown) => {
    // Not its folder, so that nothing of ours is in it. `check` names it, and the vault's own files need not wait for that.
    if (error instanceof StorageError && error.damage === 'FOLDER_DAMAGED') return [];
    throw error;
  });
  for (const { kind, id, path } of leftOvers) {
    try {
      await turns.take(id, async () => {
        if (kind === 'temporary') await shredFile(`${path}.tmp`);
        else await settleReplaced(path);
      });
    } catch {
      pending.add(id);
    }
  }
  if (leftOvers.length > 0) await syncFolder(folder.quarantinePath);
}

/** Temporary files first, then replaced ones, so that a sealed file is looked at under its final name only. */
function ordered(names: readonly SealedName[]): readonly KnownName[] {
  const known = names.filter((name) => name.kind !== 'unknown');
  const having = (kind: KnownName['kind']): KnownName[] => known.filter((name) => name.kind === kind);
  return [...having('temporary'), ...having('replaced'), ...having('sealed'), ...having('partial')];
}

function removeTombstones({ database }: StorageContext, pending: ReadonlySet<FileId>): void {
  const gone = database.tombstones.list().filter(({ id }) => !pending.has(id));
  if (gone.length === 0) return;
  ifSpaceAllows(() => {
    database.transaction(
      () => {
        for (const { id } of gone) database.tombstones.remove(id);
      },
      { freesSpace: true },
    );
  });
}

/** Marks rows whose sealed file is missing or of the wrong length, and unmarks those whose file came back. */
async function markRows(context: StorageContext): Promise<FileId[]> {
  const damaged: FileId[] = [];
  const changes: { id: FileId; condition: FileRow['condition'] }[] = [];
  for (const row of context.database.files.iterate({ placement: 'sealed' })) {
    const condition = conditionOf(await measureSealedFile(context.folder, row));
    if (condition !== 'ok') damaged.push(row.id);
    // A file of the right length that a read found damaged stays marked until a check clears it.
    const unproven = condition === 'ok' && row.condition === 'damaged';
    if (condition !== row.condition && !unproven) changes.push({ id: row.id, condition });
  }
  if (changes.length > 0) {
    ifSpaceAllows(() => {
      context.database.transaction(() => {
        for (const { id, condition } of changes) markCondition(context, id, condition);
      });
    });
  }
  return damaged;
}

function conditionOf({ sizeBytes, expectedBytes }: SealedLength): FileRow['condition'] {
  if (sizeBytes === undefined) return 'missing';
  return sizeBytes === expectedBytes ? 'ok' : 'damaged';
}
