import { bytesToHex, randomBytes } from '@coffer/crypto';
import type { FileId, FileRow } from '@coffer/database';
import { link, lstat, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { recordRead } from './condition.ts';
import { errnoOf } from './errno.ts';
import { StorageError, toStorageError } from './errors.ts';
import { OutputFile } from './output-file.ts';
import { getCheckedBlob, poolFor, verifySealed } from './read-file.ts';
import { syncFolder } from './sealed-folder.ts';
import type { StorageContext } from './storage-context.ts';

export interface WriteFileOptions {
  /** Replace what has that name already. Without it the result is `EXISTS`, decided atomically. */
  readonly overwrite?: boolean;
  /** The mode it gets; what the process's mask leaves of 0666 when not given. */
  readonly mode?: number;
  readonly signal?: AbortSignal;
  /** Called with the bytes written so far, at every piece. */
  readonly onProgress?: (bytesDone: number) => void;
}

/**
 * Writes a stored file to `path`, with its modification time. Nothing appears under that name before the whole content has matched its
 * SHA-256 and is durable: it is written to a hidden temporary name in the same folder and renamed. Throws `EXISTS`, `DAMAGED`,
 * `NO_SPACE`, `NOT_PERMITTED`, `NOT_FOUND` (the file, or the folder of `path`).
 */
export async function writeFileTo(
  context: StorageContext,
  id: FileId,
  path: string,
  options: WriteFileOptions = {},
): Promise<FileRow> {
  const doing = `cannot write ${path}`;
  try {
    const row = context.database.files.get(id);
    if (row.placement === 'sealed') poolFor(context, row.sizeBytes)?.warmUp();
    // Asked first, so that a large file is not read for nothing; decided again when the name is given.
    if (options.overwrite !== true && (await isTaken(path))) throw exists(path);
    const temporary = join(dirname(path), `.coffer-${bytesToHex(randomBytes(8))}.tmp`);
    const file = await OutputFile.create(temporary);
    try {
      try {
        await copyOut(context, row, file, options);
      } finally {
        await file[Symbol.asyncDispose]();
      }
      await giveName(temporary, path, options.overwrite === true);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(path));
    return row;
  } catch (error) {
    throw toStorageError(error, doing);
  }
}

async function copyOut(
  context: StorageContext,
  row: FileRow,
  file: OutputFile,
  { mode, signal, onProgress }: WriteFileOptions,
): Promise<void> {
  try {
    if (row.placement === 'blob') {
      await file.write(getCheckedBlob(context, row), 0);
      onProgress?.(row.sizeBytes);
    } else await verifySealed(context, row, { target: file, signal, onProgress });
    recordRead(context, row);
  } catch (error) {
    recordRead(context, row, error);
    throw error;
  }
  if (mode !== undefined) await file.handle.chmod(mode);
  const modifiedAt = new Date(row.modifiedAtMs);
  await file.handle.utimes(modifiedAt, modifiedAt);
  await file.finish();
}

async function giveName(temporary: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(temporary, path);
    return;
  }
  try {
    // Unlike rename, link never replaces what appeared in the meantime.
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw exists(path);
    // FAT and some network file systems have no links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error;
    if (await isTaken(path)) throw exists(path);
    await rename(temporary, path);
    return;
  }
  await unlink(temporary);
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function exists(path: string): StorageError {
  return new StorageError('EXISTS', `${path} exists already`);
}
