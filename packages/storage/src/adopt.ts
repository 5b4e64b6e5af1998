import { constantTimeEqual } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { lstat, rename } from 'node:fs/promises';
import { markCondition } from './condition.ts';
import { errnoOf } from './errno.ts';
import { StorageError, damaged, toStorageError } from './errors.ts';
import { MIME_SAMPLE_SIZE_BYTES, detectMimeType } from './mime-type.ts';
import { parseFileName, parseFolder } from './names.ts';
import { locate, notThere } from './quarantine.ts';
import { poolFor } from './read-file.ts';
import { recoveredName } from './recovered-name.ts';
import type { SaveOptions } from './save-options.ts';
import { syncFolder } from './sealed-folder.ts';
import { SealedReader } from './sealed-reader.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

export interface AdoptOptions extends Pick<SaveOptions, 'folder' | 'place' | 'signal' | 'onProgress'> {
  /** `recovered-`, the beginning of its id and the usual ending of its type when not given. */
  readonly name?: string;
}

/**
 * Brings a file back from the quarantine. All of it is read and verified first. When its row is still there, without its sealed file, it must be
 * the content of that row, and keeps its name. A crash on the way leaves it in the quarantine, or lets the next recovery put it there again.
 * Throws `NOT_FOUND`, `DAMAGED`, `EXISTS` (the storage has a sealed file of that id), `NO_SPACE`, and what `place` throws.
 */
export async function adopt(
  context: StorageContext,
  name: string,
  options: AdoptOptions = {},
): Promise<FileRow> {
  const doing = `cannot adopt ${name}`;
  try {
    const { id, path } = locate(context, name);
    const { database, folder } = context;
    const known = database.files.find(id);
    await requireFree(context, path, id, known);
    const draft = await verify(context, { path, id, name }, options);
    if (known !== undefined && !constantTimeEqual(known.sha256, draft.sha256))
      throw damaged('HASH_MISMATCH', `${doing}: it is not the content of ${known.name}, which has its id`);
    const place = (): FileRow => placeRow(context, known, draft, options);
    markUnclean(context);
    context.unsettled.add(id);
    // Recovery destroys what is in files/ and has a tombstone.
    if (database.tombstones.has(id)) database.tombstones.remove(id);
    await move(context, id, path, folder.sealedPath(id));
    try {
      return database.transaction(place);
    } catch (error) {
      await move(context, id, folder.sealedPath(id), path);
      throw error;
    } finally {
      context.unsettled.delete(id);
    }
  } catch (error) {
    throw error instanceof PlacingRefused ? error.cause : toStorageError(error, doing);
  }
}

/** Carries what `place` threw past what translates errors. */
class PlacingRefused extends Error {}

async function requireFree(
  { folder }: StorageContext,
  path: string,
  id: FileId,
  known: FileRow | undefined,
): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? notThere(path) : error;
  }
  if (known?.placement !== 'blob' && (await folder.sealedSizeBytes(id)) === undefined) return;
  throw new StorageError(
    'EXISTS',
    `there is a file of the id ${id} already, and its content is in its place`,
  );
}

/** Reads all of it; nothing is believed before. */
async function verify(
  context: StorageContext,
  { path, id, name }: { readonly path: string; readonly id: FileId; readonly name: string },
  options: AdoptOptions,
): Promise<FileRow> {
  const { modifiedAtMs } = await modifiedAt(path);
  const { reader, sizeBytes } = await context.turns.take(id, () =>
    SealedReader.openUnsized(path, { id, name }, context.keys),
  );
  await using open = reader;
  const pool = poolFor(context, sizeBytes);
  const { signal, onProgress } = options;
  const sha256 = await open.hash({ pool, signal, onProgress });
  const head: Uint8Array[] = [];
  const sampleSize = Math.min(sizeBytes, MIME_SAMPLE_SIZE_BYTES);
  for await (const piece of open.read(0, sampleSize, { pool: undefined, signal, transient: false }))
    head.push(piece);
  const mimeType = await detectMimeType(Buffer.concat(head), options.name ?? '');
  return {
    id,
    folder: parseFolder(options.folder ?? ''),
    name: parseFileName(options.name ?? (await recoveredName(id, mimeType))),
    mimeType,
    sizeBytes,
    sha256,
    placement: 'sealed',
    condition: 'ok',
    createdAtMs: context.nowMs(),
    modifiedAtMs,
    transferId: undefined,
  };
}

async function modifiedAt(path: string): Promise<{ readonly modifiedAtMs: number }> {
  const stat = await lstat(path);
  return { modifiedAtMs: Math.round(stat.mtimeMs) };
}

/** Inside the transaction. */
function placeRow(
  context: StorageContext,
  known: FileRow | undefined,
  draft: FileRow,
  { place }: AdoptOptions,
): FileRow {
  const { files } = context.database;
  if (known !== undefined) {
    markCondition(context, known.id, 'ok');
    return files.get(known.id);
  }
  const row = { ...draft, ...ask(place, draft) };
  files.insert(row);
  return row;
}

function ask(
  place: AdoptOptions['place'],
  draft: FileRow,
): { readonly folder: string; readonly name: string } {
  try {
    const { folder, name } = place?.(draft) ?? draft;
    return { folder: parseFolder(folder), name: parseFileName(name) };
  } catch (error) {
    throw new PlacingRefused('refused', { cause: error });
  }
}

async function move({ folder, turns }: StorageContext, id: FileId, from: string, to: string): Promise<void> {
  await turns.take(id, () => rename(from, to));
  await folder.sync();
  await syncFolder(folder.quarantinePath);
}
