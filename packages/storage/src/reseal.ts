import { CryptoError } from '@coffer/crypto';
import type { FileRow } from '@coffer/database';
import { StorageError, throwIfAborted } from './errors.ts';
import { resealFile } from './reseal-file.ts';
import { isGone, readHeaderState } from './rewrap-header.ts';
import type { StorageContext } from './storage-context.ts';

/** What is known of a resealing before and while it runs. */
export interface ResealProgress {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface ResealOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ResealProgress) => void;
}

export interface ResealResult {
  readonly resealed: number;
  readonly sizeBytes: number;
  /** Files that are damaged, and so keep the file key that they have. */
  readonly damaged: readonly { readonly file: FileRow; readonly message: string }[];
}

const UNFINISHED = 'storage/reseal';

/** Says, durably, that files are to be sealed again under fresh file keys. */
export function beginReseal({ database }: StorageContext): void {
  if (!isResealUnfinished(database)) database.settings.set(UNFINISHED, '1');
}

export function isResealUnfinished(database: StorageContext['database']): boolean {
  return database.settings.get(UNFINISHED) !== undefined;
}

/**
 * Seals every file again whose file key is older than the current key epoch, which its header's sequence number tells: a file that was sealed
 * under this epoch has 1. So an interrupted resealing goes on where it stopped. The disk needs room for the largest file.
 *
 * @throws StorageError ABORTED; what the file system throws (ENOSPC)
 */
export async function resealAll(context: StorageContext, options: ResealOptions): Promise<ResealResult> {
  const { signal, onProgress } = options;
  const todo = await listOlderKeys(context, signal);
  const bytesTotal = todo.reduce((sum, row) => sum + row.sizeBytes, 0);
  const damaged: { file: FileRow; message: string }[] = [];
  let filesDone = 0;
  let bytesDone = 0;
  let resealed = 0;
  let sizeBytes = 0;
  for (const row of todo) {
    throwIfAborted(signal, 'cannot reseal the files');
    const report = (bytesOfFile: number): void => {
      onProgress?.({ filesDone, filesTotal: todo.length, bytesDone: bytesDone + bytesOfFile, bytesTotal });
    };
    try {
      const fileOptions = { onProgress: report, ...(signal === undefined ? {} : { signal }) };
      if (await resealFile(context, row, fileOptions)) {
        resealed++;
        sizeBytes += row.sizeBytes;
      }
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'DAMAGED') throw error;
      // One that was deleted meanwhile is not damaged.
      if (context.database.files.find(row.id) !== undefined)
        damaged.push({ file: row, message: error.message });
    }
    filesDone++;
    bytesDone += row.sizeBytes;
    report(0);
  }
  context.database.settings.remove(UNFINISHED);
  return { resealed, sizeBytes, damaged };
}

async function listOlderKeys(context: StorageContext, signal: AbortSignal | undefined): Promise<FileRow[]> {
  const todo: FileRow[] = [];
  for (const row of context.database.files.iterate({ placement: 'sealed' })) {
    throwIfAborted(signal, 'cannot reseal the files');
    if (await hasOlderKey(context, row)) todo.push(row);
  }
  return todo;
}

/** A header that cannot be read: resealing says what is wrong with it. */
async function hasOlderKey({ turns, folder, keys }: StorageContext, { id }: FileRow): Promise<boolean> {
  try {
    const { sequence } = await turns.take(id, () => readHeaderState(folder.sealedPath(id), id, keys));
    return sequence !== 1n;
  } catch (error) {
    if (isGone(error) || error instanceof CryptoError) return true;
    throw error;
  }
}
