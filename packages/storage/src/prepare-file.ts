import { randomBytes, sha256 } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { fileIdFromBytes } from '@coffer/database';
import { StorageError } from './errors.ts';
import { openSource } from './file-source.ts';
import type { FileSource, OpenSource } from './file-source.ts';
import { MIME_SAMPLE_SIZE_BYTES, detectMimeType } from './mime-type.ts';
import { parseFileName, parseFolder } from './names.ts';
import type { SaveOptions } from './save-options.ts';
import { sealContent } from './seal-content.ts';
import type { Content, SealedContent } from './seal-content.ts';
import { shredFile } from './sealed-folder.ts';
import { SealedWriter } from './sealed-writer.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** A file whose bytes are durable but which no row names yet. */
export interface PreparedFile {
  readonly row: FileRow;
  /** The bytes, when the file goes into the database. */
  readonly blob: Uint8Array | undefined;
}

/** Reads a source once: small ones into memory, others sealed to a temporary name and synced. */
export async function prepareFile(
  context: StorageContext,
  source: FileSource,
  options: SaveOptions,
): Promise<PreparedFile> {
  const name = parseFileName(options.name);
  const folder = parseFolder(options.folder ?? '');
  await using opened = await openSource(source);
  // Its threads start while this one reads the beginning and tells the type.
  if ((opened.file?.sizeBytes ?? 0) >= context.parallelFromBytes) context.pool.warmUp();
  const { head, rest } = await readHead(context, source, opened, options);
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

/** All of a source that is small, and enough of a large one to see its type and its place; `rest` is what comes after, `undefined` at the end. */
async function readHead(
  context: StorageContext,
  source: FileSource,
  opened: OpenSource,
  options: SaveOptions,
): Promise<Head> {
  if (source instanceof Uint8Array && source.length < context.thresholdBytes) {
    options.onProgress?.(source.length);
    // The caller may change its bytes meanwhile. (`slice` of a Buffer would not be a copy.)
    return { head: new Uint8Array(source), rest: undefined };
  }
  const pieces = watched(opened.pieces, options);
  return takeHead(pieces, Math.max(context.thresholdBytes, MIME_SAMPLE_SIZE_BYTES));
}

/** Takes back what was written for a file that will not be saved. What can't be removed now, the next opening removes. */
export async function discardTemporary(
  { folder, unsettled, turns }: StorageContext,
  id: FileId,
): Promise<void> {
  try {
    await turns.take(id, () => shredFile(folder.temporaryPath(id)));
    unsettled.delete(id);
  } catch {
    // The reason why the save failed matters more to the caller than this one.
  }
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
    await using writer = await createTemporary(context, id);
    const sealed = await sealContent(context, writer, content, options);
    await context.folder.sync();
    await writer.finish();
    return sealed;
  } catch (error) {
    await discardTemporary(context, id);
    throw error;
  }
}

/** In a turn of the file: its header is there whole when anything else looks for it, under the key epoch that was the current one. */
async function createTemporary(context: StorageContext, id: FileId): Promise<SealedWriter> {
  const { folder, keys, turns } = context;
  return turns.take(id, () => SealedWriter.create(folder.temporaryPath(id), id, keys));
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

interface Head {
  readonly head: Uint8Array;
  readonly rest: AsyncGenerator<Uint8Array> | undefined;
}

/** Reads until at least `sizeBytes` are held or the end; `rest` is what comes after, `undefined` at the end. */
async function takeHead(pieces: AsyncGenerator<Uint8Array>, sizeBytes: number): Promise<Head> {
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
    held.push(new Uint8Array(next.value));
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
