import { constantTimeEqual, createSha256, sha256 } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { DatabaseError } from '@coffer/database';
import { recordRead } from './condition.ts';
import { StorageError, damaged, throwIfAborted, toStorageError } from './errors.ts';
import type { OutputFile } from './output-file.ts';
import type { SegmentPool } from './pool/segment-pool.ts';
import { SealedReader } from './sealed-reader.ts';
import type { StorageContext } from './storage-context.ts';

/** `getFile` returns one array: files above 1 GiB are read as a stream instead. */
export const MAX_GET_FILE_SIZE_BYTES: number = 2 ** 30;

export interface ReadOptions {
  /** First byte; 0 when not given. */
  readonly start?: number;
  /** The byte after the last one; the file's size when not given, and at most that. */
  readonly end?: number;
  /** Each piece is valid only until the next one is asked for: large files are then read without a copy of each. */
  readonly transient?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Yields a file's bytes, or those of a range, each piece authenticated before it is yielded. Read to its end, a whole file is
 * also held against its SHA-256. Damage that is found is kept in the row. Throws `NOT_FOUND`, `INVALID` (a range outside the file), `DAMAGED`.
 */
export async function* readFile(
  context: StorageContext,
  id: FileId,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const doing = `cannot read file ${id}`;
  try {
    throwIfAborted(options.signal, doing);
    const row = context.database.files.get(id);
    const { start, end } = parseRange(row, options);
    try {
      yield* row.placement === 'blob'
        ? readBlob(context, row, start, end)
        : readSealed(context, row, { start, end }, options);
      if (row.placement === 'blob' || end - start === row.sizeBytes) recordRead(context, row);
    } catch (error) {
      recordRead(context, row, error);
      throw error;
    }
  } catch (error) {
    throw toStorageError(error, doing);
  }
}

/** A whole file in memory. Throws `TOO_LARGE` above 1 GiB, and as `readFile` does. */
export async function getFile(context: StorageContext, id: FileId): Promise<Uint8Array> {
  let row;
  try {
    row = context.database.files.get(id);
  } catch (error) {
    throw toStorageError(error, `cannot read file ${id}`);
  }
  if (row.sizeBytes > MAX_GET_FILE_SIZE_BYTES) {
    throw new StorageError('TOO_LARGE', `${row.name} is too large to be read at once; read it as a stream`);
  }
  const bytes = new Uint8Array(row.sizeBytes);
  let offset = 0;
  for await (const piece of readFile(context, id)) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** The bytes of a small file, held against the row's size and SHA-256. */
export function getCheckedBlob({ database }: StorageContext, row: FileRow): Uint8Array {
  const blob = findBlob(database.files, row);
  if (blob === undefined)
    throw damaged('BLOB_MISSING', `${row.name} is lost: its bytes are not in the database`);
  if (blob.length !== row.sizeBytes || !constantTimeEqual(sha256(blob), row.sha256)) {
    throw damaged('BLOB_DAMAGED', `${row.name} is damaged: its bytes do not match its SHA-256`);
  }
  return blob;
}

function findBlob(files: StorageContext['database']['files'], row: FileRow): Uint8Array | undefined {
  try {
    return files.getBlob(row.id);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code === 'CLOSED') throw error;
    throw damaged('BLOB_DAMAGED', `${row.name} is damaged: its page of the database cannot be read`, error);
  }
}

async function* readBlob(
  context: StorageContext,
  row: FileRow,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  const blob = await Promise.resolve(getCheckedBlob(context, row));
  if (end > start) yield blob.subarray(start, end);
}

async function* readSealed(
  context: StorageContext,
  row: FileRow,
  { start, end }: { readonly start: number; readonly end: number },
  { signal, transient = false }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  await using reader = await openSealedRow(context, row);
  const pool = poolFor(context, end - start);
  if (start > 0 || end < row.sizeBytes) {
    yield* reader.read(start, end, { pool, signal, transient });
    return;
  }
  const hash = createSha256();
  for await (const piece of reader.read(start, end, { pool, signal, transient })) {
    hash.update(piece);
    yield piece;
  }
  checkHash(row, hash.digest());
}

/**
 * Reads a sealed file whole and holds it against its SHA-256; what is read also goes to `target`. Says whether the free place of its
 * header is empty.
 */
export async function verifySealed(
  context: StorageContext,
  row: FileRow,
  options: {
    /** Where the sealed file is, when that is not its own place. */
    readonly path?: string;
    readonly target?: OutputFile;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: ((bytesDone: number) => void) | undefined;
  },
): Promise<{ readonly isOtherPlaceFree: boolean }> {
  const { path, target, signal, onProgress } = options;
  await using reader = await openSealedRow(context, row, path);
  checkHash(row, await reader.hash({ pool: poolFor(context, row.sizeBytes), signal, target, onProgress }));
  return { isOtherPlaceFree: reader.isOtherPlaceFree };
}

/** In a turn of the file, so that its header is read as it was before or after it was written anew. */
export async function openSealedRow(
  { folder, keys, turns }: StorageContext,
  row: FileRow,
  path: string = folder.sealedPath(row.id),
): Promise<SealedReader> {
  return turns.take(row.id, () => SealedReader.open(path, row, keys));
}

/** The pool, for what is large enough. */
export function poolFor(
  { pool, parallelFromBytes }: StorageContext,
  sizeBytes: number,
): SegmentPool | undefined {
  return sizeBytes >= parallelFromBytes ? pool : undefined;
}

function checkHash(row: FileRow, hash: Uint8Array): void {
  if (constantTimeEqual(hash, row.sha256)) return;
  throw damaged('HASH_MISMATCH', `${row.name} is damaged: its content does not match its SHA-256`);
}

function parseRange(
  row: FileRow,
  { start = 0, end = row.sizeBytes }: ReadOptions,
): { start: number; end: number } {
  const outside = !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start;
  if (outside || start > row.sizeBytes) {
    const range = `${String(start)} to ${String(end)}`;
    throw new StorageError(
      'INVALID',
      `the range ${range} is not within ${row.name} (${String(row.sizeBytes)} bytes)`,
    );
  }
  return { start, end: Math.min(end, row.sizeBytes) };
}
