import type { FileRow } from '@coffer/database';
import { DatabaseError } from '@coffer/database';
import { buryFile, removeBuried } from './delete-file.ts';
import { StorageError, throwIfAborted, toStorageError } from './errors.ts';
import type { FileSource } from './file-source.ts';
import { parseFileName, parseFolder } from './names.ts';
import { discardTemporary, prepareFile } from './prepare-file.ts';
import type { PreparedFile } from './prepare-file.ts';
import type { Placing, SaveOptions } from './save-options.ts';
import type { StorageContext } from './storage-context.ts';

/** One of several files that are saved together. */
export interface FileToSave {
  readonly source: FileSource;
  readonly options: Omit<SaveOptions, 'signal'>;
}

/** How many sources of a batch are read at the same time. */
const READ_AHEAD_FILES = 8;

/**
 * Stores a file. At any time a row references only durable content, and no plaintext is on disk:
 * seal to a temporary name and sync; insert the row; rename and sync the folder; acknowledge by returning.
 */
export async function saveFile(
  context: StorageContext,
  source: FileSource,
  options: SaveOptions,
): Promise<FileRow> {
  const doing = `cannot save ${options.name}`;
  try {
    throwIfAborted(options.signal, doing);
    const prepared = await prepareFile(context, source, options);
    const [saved] = await commitFiles(context, [{ prepared, options }], options.signal);
    if (saved === undefined) throw new StorageError('FAILED', `${doing}: nothing was saved`);
    if (saved.status === 'rejected') throw saved.reason;
    return saved.value;
  } catch (error) {
    throw toSaveError(error, options.name);
  }
}

/**
 * Stores several small files in one transaction, so that they cost one sync together; all that succeeded are durable when it returns. The
 * results are in the order of the files; one that cannot be read or placed does not keep the others from being saved. Throws what keeps all of
 * them from being saved (`NO_SPACE`, `ABORTED`, …): then none is.
 */
export async function saveFiles(
  context: StorageContext,
  files: readonly FileToSave[],
  signal?: AbortSignal,
): Promise<PromiseSettledResult<FileRow>[]> {
  const results: PromiseSettledResult<FileRow>[] = [];
  const batch: (BatchFile & { readonly at: number })[] = [];
  try {
    for (let start = 0; start < files.length; start += READ_AHEAD_FILES) {
      const group = files.slice(start, start + READ_AHEAD_FILES);
      const read = await Promise.allSettled(
        group.map(async ({ source, options }) =>
          prepareFile(context, source, signal === undefined ? options : { ...options, signal }),
        ),
      );
      for (const [index, result] of read.entries()) {
        const file = group[index];
        if (file === undefined) continue;
        const at = start + index;
        if (result.status === 'fulfilled') batch.push({ prepared: result.value, options: file.options, at });
        else results[at] = rejected(result.reason, file.options.name);
      }
    }
    const committed = await commitFiles(context, batch, signal);
    for (const [index, { at, options }] of batch.entries()) {
      const result = committed[index];
      if (result?.status === 'fulfilled') results[at] = result;
      else results[at] = rejected(result?.reason, options.name);
    }
    return results;
  } catch (error) {
    throw toSaveError(
      error,
      files.length === 1 ? (files[0]?.options.name ?? '') : `${String(files.length)} files`,
    );
  }
}

interface BatchFile {
  readonly prepared: PreparedFile;
  readonly options: SaveOptions;
}

/** Inserts rows in one transaction, then gives sealed files their names. What one file's `place` throws undoes that file only. */
async function commitFiles(
  context: StorageContext,
  batch: readonly BatchFile[],
  signal: AbortSignal | undefined,
): Promise<PromiseSettledResult<FileRow>[]> {
  const { database, folder } = context;
  const work = { isDone: false };
  let inserted: PromiseSettledResult<Inserted>[];
  try {
    throwIfAborted(signal, 'cannot save');
    inserted = database.transaction(() => {
      const results = insertAll(context, batch);
      work.isDone = true;
      return results;
    });
  } catch (error) {
    // When COMMIT itself failed, its record may still reach the disk: then only the next opening knows whether a row
    // needs these bytes. Otherwise nothing was written, and nothing stays.
    if (!work.isDone) for (const { prepared } of batch) await discardIfSealed(context, prepared);
    if (error instanceof OnlyRefused) return [{ status: 'rejected', reason: error.cause }];
    throw error;
  }
  const sealed: PreparedFile[] = [];
  for (const [index, { prepared }] of batch.entries()) {
    if (inserted[index]?.status !== 'fulfilled') await discardIfSealed(context, prepared);
    else if (prepared.blob === undefined) sealed.push(prepared);
  }
  // From here on a crash is finished, not undone, by recovery: the rows and the sealed bytes are durable.
  for (const { row } of sealed) await context.turns.take(row.id, () => folder.promote(row.id));
  if (sealed.length > 0) await folder.sync();
  for (const { row } of sealed) context.unsettled.delete(row.id);
  const done = inserted.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  const replaced = done.flatMap((each) => (each.replaced === undefined ? [] : [each.replaced]));
  if (replaced.length > 0) await removeBuried(context, replaced);
  return inserted.map((result) =>
    result.status === 'fulfilled' ? { status: 'fulfilled', value: result.value.row } : result,
  );
}

interface Inserted {
  readonly row: FileRow;
  /** The row that this one took the place of. */
  readonly replaced: FileRow | undefined;
}

function insertAll(context: StorageContext, batch: readonly BatchFile[]): PromiseSettledResult<Inserted>[] {
  const [only] = batch;
  if (only === undefined || batch.length > 1) return batch.map((file) => insertApart(context, file));
  // One alone is undone with the transaction, which spares it a savepoint.
  try {
    return [{ status: 'fulfilled', value: insertPrepared(context, only.prepared, only.options) }];
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    throw new OnlyRefused('refused', { cause: error });
  }
}

/** Carries what kept the only file of a batch from being saved out of the transaction, which it undoes. */
class OnlyRefused extends Error {}

/** In a savepoint of its own. An error of the database is everybody's. */
function insertApart(
  context: StorageContext,
  { prepared, options }: BatchFile,
): PromiseSettledResult<Inserted> {
  try {
    const value = context.database.transaction(() => insertPrepared(context, prepared, options));
    return { status: 'fulfilled', value };
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    return { status: 'rejected', reason: error };
  }
}

/** Inside the transaction. */
function insertPrepared(
  context: StorageContext,
  { row: draft, blob }: PreparedFile,
  options: SaveOptions,
): Inserted {
  const { files, tags } = context.database;
  const placing = askPlacing(options.place, draft);
  const row =
    placing === undefined
      ? draft
      : {
          ...draft,
          folder: parseFolder(placing.folder),
          name: parseFileName(placing.name),
          mimeType: placing.mimeType ?? draft.mimeType,
          modifiedAtMs: placing.modifiedAtMs ?? draft.modifiedAtMs,
        };
  // Another content of the same thing: what it was tagged with still holds.
  const kept = placing?.replaces === undefined ? [] : tags.of(placing.replaces);
  const replaced = placing?.replaces === undefined ? undefined : buryFile(context, placing.replaces);
  files.insert(row);
  if (blob !== undefined) files.insertBlob(row.id, blob);
  for (const tag of new Set([...kept, ...(options.tags ?? [])])) tags.add(row.id, tag);
  return { row, replaced };
}

async function discardIfSealed(context: StorageContext, { row, blob }: PreparedFile): Promise<void> {
  if (blob === undefined) await discardTemporary(context, row.id);
}

/** Carries what `place` threw through the layers that would translate it. */
class PlacingRefused extends Error {}

function askPlacing(place: SaveOptions['place'], draft: FileRow): Placing | undefined {
  try {
    return place?.(draft);
  } catch (error) {
    throw new PlacingRefused('refused', { cause: error });
  }
}

function toSaveError(error: unknown, name: string): unknown {
  return error instanceof PlacingRefused ? error.cause : toStorageError(error, `cannot save ${name}`);
}

function rejected(reason: unknown, name: string): PromiseRejectedResult {
  return { status: 'rejected', reason: toSaveError(reason, name) };
}
