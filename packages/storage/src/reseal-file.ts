import { constantTimeEqual } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { dirname } from 'node:path';
import { damaged } from './errors.ts';
import { openSealedRow } from './read-file.ts';
import { replaceFile, settleReplaced } from './replace-file.ts';
import { sealContent } from './seal-content.ts';
import type { SealedContent } from './seal-content.ts';
import { shredFile, syncFolder } from './sealed-folder.ts';
import { SealedReader } from './sealed-reader.ts';
import { SealedWriter } from './sealed-writer.ts';
import { markUnclean } from './storage-context.ts';
import type { StorageContext } from './storage-context.ts';

/** A sealed file with its row, or one in quarantine, which has none. */
export interface ResealTarget {
  readonly id: FileId;
  readonly path: string;
  /** For messages. */
  readonly name: string;
  readonly row: FileRow | undefined;
}

export interface ResealFileOptions {
  readonly signal?: AbortSignal;
  /** Called with the plaintext bytes done so far. */
  readonly onProgress?: (bytesDone: number) => void;
}

/**
 * Seals a file's content again under a fresh file key, keeping its id: to a temporary name beside it and synced, verified on the way (each segment, and the whole against
 * the row's SHA-256 where there is a row), which then takes the place of the old file, whose header is shredded. A crash leaves the one or the other
 * whole. Returns the size of the content; `undefined` when the file is gone meanwhile.
 *
 * @throws StorageError DAMAGED, ABORTED; what the file system throws (ENOSPC)
 */
export async function resealFile(
  context: StorageContext,
  target: ResealTarget,
  options: ResealFileOptions,
): Promise<number | undefined> {
  const { id, path } = target;
  markUnclean(context);
  context.unsettled.add(id);
  try {
    const sizeBytes = await sealAgain(context, target, options);
    const isReplaced = await context.turns.take(id, async () => {
      // One that was deleted meanwhile is not brought back.
      if (target.row !== undefined && context.database.files.find(id)?.placement !== 'sealed') return false;
      return replaceFile(path, temporaryPath(path));
    });
    if (isReplaced) context.unsettled.delete(id);
    else await discard(context, target);
    return isReplaced ? sizeBytes : undefined;
  } catch (error) {
    await discard(context, target);
    throw error;
  }
}

function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

/** What can't be removed now, the next opening removes. */
async function discard(context: StorageContext, { id, path }: ResealTarget): Promise<void> {
  try {
    await context.turns.take(id, async () => {
      await shredFile(temporaryPath(path));
      await settleReplaced(path);
    });
    context.unsettled.delete(id);
  } catch {
    // The reason why the file was not sealed again matters more.
  }
}

async function sealAgain(
  context: StorageContext,
  { id, path, name, row }: ResealTarget,
  { signal, onProgress }: ResealFileOptions,
): Promise<number> {
  const { turns, keys } = context;
  const temporary = temporaryPath(path);
  // What a crash may have left.
  await turns.take(id, () => shredFile(temporary));
  const { reader, sizeBytes } =
    row === undefined
      ? await turns.take(id, () => SealedReader.openUnsized(path, { id, name }, keys))
      : { reader: await openSealedRow(context, row), sizeBytes: row.sizeBytes };
  await using opened = reader;
  await using writer = await turns.take(id, () => SealedWriter.create(temporary, id, keys));
  // The pool seals; it takes one job at a time.
  const pieces = opened.read(0, sizeBytes, { pool: undefined, signal, transient: true });
  const content = { pieces: counted(pieces, onProgress), file: undefined };
  const sealed = await sealContent(context, writer, content, signal === undefined ? {} : { signal });
  if (row !== undefined) checkSame(row, sealed);
  await syncFolder(dirname(temporary));
  await writer.finish();
  return sizeBytes;
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
