import { SEALED_FILE, constantTimeEqual } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { damaged } from './errors.ts';
import { createTemporary, discardTemporary } from './prepare-file.ts';
import { openSealedRow } from './read-file.ts';
import { isGone, openRegular } from './rewrap-header.ts';
import { sealContent } from './seal-content.ts';
import type { SealedContent } from './seal-content.ts';
import { shredFile } from './sealed-folder.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

export interface ResealFileOptions {
  readonly signal?: AbortSignal;
  /** Called with the plaintext bytes done so far. */
  readonly onProgress?: (bytesDone: number) => void;
}

/**
 * Seals a file's content again under a fresh file key, keeping its id: to a temporary name, verified against the row's SHA-256 on the way and
 * synced, which then takes the place of the old file; the header of the old one, which has no name any more, is filled with zeros. A
 * crash leaves the one or the other whole. `false` when the file is gone meanwhile.
 *
 * @throws StorageError DAMAGED, ABORTED; what the file system throws (ENOSPC)
 */
export async function resealFile(
  context: StorageContext,
  row: FileRow,
  options: ResealFileOptions,
): Promise<boolean> {
  const { id } = row;
  markUnclean(context);
  context.unsettled.add(id);
  try {
    await sealAgain(context, row, options);
    const isReplaced = await context.turns.take(id, () => replaceSealed(context, id));
    if (!isReplaced) await discardTemporary(context, id);
    else context.unsettled.delete(id);
    return isReplaced;
  } catch (error) {
    await discardTemporary(context, id);
    throw error;
  }
}

async function sealAgain(context: StorageContext, row: FileRow, options: ResealFileOptions): Promise<void> {
  const { signal, onProgress } = options;
  // What a crash may have left.
  await context.turns.take(row.id, () => shredFile(context.folder.temporaryPath(row.id)));
  await using reader = await openSealedRow(context, row);
  await using writer = await createTemporary(context, row.id);
  // The pool seals; it takes one job at a time.
  const pieces = reader.read(0, row.sizeBytes, { pool: undefined, signal, transient: true });
  const content = { pieces: counted(pieces, onProgress), file: undefined };
  const sealed = await sealContent(context, writer, content, signal === undefined ? {} : { signal });
  checkSame(row, sealed);
  await context.folder.sync();
  await writer.finish();
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onProgress: ((bytesDone: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let bytesDone = 0;
  for await (const piece of pieces) {
    bytesDone += piece.length;
    yield piece;
    onProgress?.(bytesDone);
  }
}

function checkSame(row: FileRow, sealed: SealedContent): void {
  if (sealed.sizeBytes === row.sizeBytes && constantTimeEqual(sealed.sha256, row.sha256)) return;
  throw damaged('HASH_MISMATCH', `${row.name} is damaged: its content does not match its SHA-256`);
}

/** In a turn. A file that was deleted meanwhile is not brought back. */
async function replaceSealed({ database, folder }: StorageContext, id: FileId): Promise<boolean> {
  if (database.files.find(id)?.placement !== 'sealed') return false;
  const old = await openOld(folder.sealedPath(id));
  if (old === undefined) return false;
  try {
    // Windows does not replace a file that is open.
    if (process.platform === 'win32') await old.close();
    await folder.promote(id);
    await folder.sync();
    // Only now: until the name is durable a loss of power may bring the old file back.
    if (process.platform !== 'win32') await zeroHeader(old);
    return true;
  } finally {
    await old.close();
  }
}

async function openOld(path: string): Promise<FileHandle | undefined> {
  try {
    return await openRegular(path, constants.O_WRONLY);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function zeroHeader(handle: FileHandle): Promise<void> {
  const zeros = new Uint8Array(SEALED_FILE.HEADER_SIZE_BYTES);
  for (let done = 0; done < zeros.length;) {
    done += (await handle.write(zeros, done, zeros.length - done, done)).bytesWritten;
  }
  await handle.datasync();
}
