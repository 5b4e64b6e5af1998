import type { FileId } from '@coffer/database';
import { parseFileId } from '@coffer/database';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../errno.ts';
import { StorageError, damaged } from '../errors.ts';
import { MAX_HEADER_LINE_SIZE_BYTES, parseHeaderLine } from './header-records.ts';
import type { HeaderRecord } from './header-records.ts';
import { linesOf } from './lines.ts';
import type { StagingPaths } from './staging-paths.ts';

const ID_LINE_SIZE_BYTES = 32;
const PIECE_SIZE_BYTES = 64 * 1024;

/*
 * What a backup is finished from is read before any secret is asked for, and may come from a stranger: nothing in it is longer than its
 * format allows, and every refusal names the file.
 */

/** The headers that are to be written. Throws `DAMAGED`, with the path. */
export function stagedHeaders({ headers }: StagingPaths): AsyncGenerator<HeaderRecord> {
  return parsedLines(headers, MAX_HEADER_LINE_SIZE_BYTES, parseHeaderLine);
}

/** The ids of sealed files that are to go. Throws `DAMAGED`, with the path. */
export function stagedRemovals({ removed }: StagingPaths): AsyncGenerator<FileId> {
  return parsedLines(removed, ID_LINE_SIZE_BYTES, parseRemovedLine);
}

/** Throws `DAMAGED` unless the line is an id. */
export function parseRemovedLine(line: string): FileId {
  try {
    return parseFileId(line);
  } catch (error) {
    throw damaged('FOLDER_DAMAGED', 'a line of it is no id of a file', error);
  }
}

/** None when the file is gone: then everything in it has been done. */
async function* parsedLines<T>(
  path: string,
  maxSizeBytes: number,
  parse: (line: string) => T,
): AsyncGenerator<T> {
  const handle = await openToRead(path);
  if (handle === undefined) return;
  try {
    for await (const line of linesOf(piecesOf(handle), maxSizeBytes)) yield parse(line);
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw damaged(error.damage ?? 'FOLDER_DAMAGED', `${path} is damaged: ${error.message}`, error);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function openToRead(path: string): Promise<FileHandle | undefined> {
  let handle;
  try {
    // Neither what a link points to nor a FIFO, which would keep us waiting for its other end.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (!['ELOOP', 'ENXIO'].includes(errnoOf(error) ?? '')) throw error;
    throw notAFile(path, error);
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw notAFile(path);
}

function notAFile(path: string, cause?: unknown): StorageError {
  return damaged('FOLDER_DAMAGED', `${path} is damaged: it is not a regular file`, cause);
}

async function* piecesOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(PIECE_SIZE_BYTES);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length);
    if (bytesRead === 0) return;
    yield piece.subarray(0, bytesRead);
  }
}
