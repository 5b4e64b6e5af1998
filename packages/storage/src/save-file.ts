import { randomBytes, sha256 } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { fileIdFromBytes } from '@coffer/database';
import { buryFile, removeBuried } from './delete-file.ts';
import { StorageError, throwIfAborted, toStorageError } from './errors.ts';
import { openSource } from './file-source.ts';
import type { FileSource, OpenSource } from './file-source.ts';
import { MIME_SAMPLE_SIZE_BYTES, detectMimeType } from './mime-type.ts';
import { parseFileName, parseFolder } from './names.ts';
import { sealContent } from './seal-content.ts';
import type { Content, SealedContent } from './seal-content.ts';
import { shredFile } from './sealed-folder.ts';
import { SealedWriter } from './sealed-writer.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** Where a file goes, decided inside the transaction that inserts it. */
export interface Placing {
  readonly folder: string;
  readonly name: string;
  /** A file that goes in the same transaction. */
  readonly replaces?: FileId;
}

export interface SaveOptions {
  readonly name: string;
  /** `''`, the root, when not given. */
  readonly folder?: string;
  /** Found from content and name when not given. */
  readonly mimeType?: string;
  readonly tags?: readonly string[];
  readonly transferId?: string;
  /** When the content was last changed; a path source knows, otherwise it is the time of saving. */
  readonly modifiedAtMs?: number;
  readonly signal?: AbortSignal;
  /** Called with the bytes read so far, at every piece. */
  readonly onProgress?: (bytesDone: number) => void;
  /**
   * Runs synchronously inside the transaction, before the row is inserted: to keep names unique, to replace a file, to record a
   * transfer's last state. What it throws undoes the save and is thrown on unchanged.
   */
  readonly place?: (draft: FileRow) => Placing;
}

/** A file whose bytes are durable but which no row names yet. */
interface PreparedFile {
  readonly row: FileRow;
  /** The bytes, when the file goes into the database. */
  readonly blob: Uint8Array | undefined;
}

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
    return await commitFile(context, prepared, options);
  } catch (error) {
    throw error instanceof PlacingRefused ? error.cause : toStorageError(error, doing);
  }
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

async function prepareFile(
  context: StorageContext,
  source: FileSource,
  options: SaveOptions,
): Promise<PreparedFile> {
  const name = parseFileName(options.name);
  const folder = parseFolder(options.folder ?? '');
  await using opened = await openSource(source);
  const pieces = watched(opened.pieces, options);
  const { head, rest } = await takeHead(pieces, Math.max(context.thresholdBytes, MIME_SAMPLE_SIZE_BYTES));
  const mimeType = options.mimeType ?? (await detectMimeType(head, name));

  const id = fileIdFromBytes(randomBytes(16));
  const createdAtMs = context.nowMs();
  const draft = (hash: Uint8Array, sizeBytes: number, placement: 'blob' | 'sealed'): FileRow => ({
    id,
    folder,
    name,
    mimeType,
    sizeBytes,
    sha256: hash,
    placement,
    condition: 'ok',
    createdAtMs,
    modifiedAtMs: options.modifiedAtMs ?? opened.modifiedAtMs ?? createdAtMs,
    transferId: options.transferId,
  });

  if (rest === undefined && head.length < context.thresholdBytes) {
    return { row: draft(sha256(head), head.length, 'blob'), blob: head };
  }
  const content = { pieces: joined(head, rest), file: opened.file };
  const sealed = await sealToTemporary(context, id, content, options);
  return { row: draft(sealed.sha256, sealed.sizeBytes, 'sealed'), blob: undefined };
}

async function commitFile(
  context: StorageContext,
  prepared: PreparedFile,
  options: SaveOptions,
): Promise<FileRow> {
  const { folder } = context;
  const { id } = prepared.row;
  const isSealed = prepared.blob === undefined;
  const work = { isDone: false };
  let inserted: Inserted;
  try {
    throwIfAborted(options.signal, `cannot save ${prepared.row.name}`);
    inserted = context.database.transaction(() => {
      const result = insertPrepared(context, prepared, options);
      work.isDone = true;
      return result;
    });
  } catch (error) {
    // When COMMIT itself failed, its record may still reach the disk: then only the next opening knows whether a row
    // needs these bytes. Otherwise nothing was written, and nothing stays.
    if (isSealed && !work.isDone) await discardTemporary(context, id);
    throw error;
  }
  if (isSealed) {
    // From here on a crash is finished, not undone, by recovery: the row and the sealed bytes are durable.
    await folder.promote(id);
    await folder.sync();
    context.unsettled.delete(id);
  }
  if (inserted.replaced !== undefined) await removeBuried(context, [inserted.replaced]);
  return inserted.row;
}

interface Inserted {
  readonly row: FileRow;
  /** The row that this one took the place of. */
  readonly replaced: FileRow | undefined;
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
      : { ...draft, folder: parseFolder(placing.folder), name: parseFileName(placing.name) };
  const replaced = placing?.replaces === undefined ? undefined : buryFile(context, placing.replaces);
  files.insert(row);
  if (blob !== undefined) files.insertBlob(row.id, blob);
  for (const tag of options.tags ?? []) tags.add(row.id, tag);
  return { row, replaced };
}

async function sealToTemporary(
  context: StorageContext,
  id: FileId,
  content: Content,
  options: SaveOptions,
): Promise<SealedContent> {
  markUnclean(context);
  context.unsettled.add(id);
  try {
    await using writer = await SealedWriter.create(context.folder.temporaryPath(id), id, context.keys);
    const sealed = await sealContent(context, writer, content, options);
    await context.folder.sync();
    await writer.finish();
    return sealed;
  } catch (error) {
    await discardTemporary(context, id);
    throw error;
  }
}

/** Takes back what was written for a file that will not be saved. What can't be removed now, the next opening removes. */
async function discardTemporary({ folder, unsettled }: StorageContext, id: FileId): Promise<void> {
  try {
    await shredFile(folder.temporaryPath(id));
    unsettled.delete(id);
  } catch {
    // The reason why the save failed matters more to the caller than this one.
  }
}

/** Reports progress, and ends at once when cancelled, even while the source keeps us waiting. */
async function* watched(
  pieces: OpenSource['pieces'],
  { name, signal, onProgress }: SaveOptions,
): AsyncGenerator<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  let bytesDone = 0;
  let ended = false;
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal, `cannot save ${name}`);
      if (next.done === true) {
        ended = true;
        return;
      }
      bytesDone += next.value.length;
      yield next.value;
      onProgress?.(bytesDone);
    }
  } finally {
    // Not awaited: a source that hangs in next() would hang in return() too.
    if (!ended) iterator.return?.().then(undefined, () => undefined);
  }
}

/**
 * What a promise resolves to, or `ABORTED` as soon as the signal fires. (Promise.race against one promise for the whole save would keep
 * every piece that was ever read in memory.)
 */
async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  doing: string,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(new StorageError('ABORTED', `${doing}: it was cancelled`, { cause: signal.reason }));
    };
    if (signal.aborted) {
      onAbort();
      promise.catch(() => undefined);
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/** Reads until at least `sizeBytes` are held or the end; `rest` is what comes after, `undefined` at the end. */
async function takeHead(
  pieces: AsyncGenerator<Uint8Array>,
  sizeBytes: number,
): Promise<{ head: Uint8Array; rest: AsyncGenerator<Uint8Array> | undefined }> {
  const held: Uint8Array[] = [];
  let heldBytes = 0;
  let rest: AsyncGenerator<Uint8Array> | undefined = pieces;
  while (heldBytes < sizeBytes) {
    const next = await pieces.next();
    if (next.done === true) {
      rest = undefined;
      break;
    }
    // A source may fill the same buffer again, as soon as it is asked for more.
    held.push(next.value.slice());
    heldBytes += next.value.length;
  }
  const [only] = held;
  return { head: held.length === 1 && only !== undefined ? only : Buffer.concat(held, heldBytes), rest };
}

async function* joined(
  head: Uint8Array,
  rest: AsyncGenerator<Uint8Array> | undefined,
): AsyncGenerator<Uint8Array> {
  yield head;
  if (rest !== undefined) yield* rest;
}
