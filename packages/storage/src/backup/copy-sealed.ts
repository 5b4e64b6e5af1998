import { constants } from 'node:fs';
import { chmod, copyFile, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BackgroundSync } from '../background-sync.ts';
import { errnoOf } from '../errno.ts';
import { StorageError, throwIfAborted } from '../errors.ts';

const PIECE_SIZE_BYTES = 4 * 1024 * 1024;

export interface CopyOptions {
  readonly signal: AbortSignal | undefined;
  /** Called with the bytes copied so far. */
  readonly onProgress: (bytesDone: number) => void;
}

/** A file to copy from: nothing but its bytes, and never changed. */
export interface CopySource {
  readonly path: string;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

/** The source of a copy could not be read; what went wrong with the target is thrown as it is. */
export class SourceUnreadable extends Error {}

/**
 * Copies sealed files: shares their blocks where the file system can do that (Btrfs, XFS, APFS, ReFS), else byte by byte. Never by a hard link:
 * deletion and rewrapping write into the file itself, and would write into the backup.
 */
export class SealedCopier {
  /** Whether it is worth asking: both ends are on the same two file systems during a backup. */
  #mayClone = true;

  /** Makes `target`, which is not there, durable and with mode 0600. The folder is the caller's to sync, and an unfinished file his to remove. */
  async copy(source: CopySource, target: string, options: CopyOptions): Promise<void> {
    throwIfAborted(options.signal, 'cannot copy');
    if (this.#mayClone && (await this.#tryClone(source, target))) {
      options.onProgress(source.sizeBytes);
      return;
    }
    const handle = await open(target, 'wx', 0o600);
    try {
      await copyBytes(source, handle, options);
    } finally {
      await handle.close();
    }
  }

  async #tryClone(source: CopySource, target: string): Promise<boolean> {
    try {
      await copyFile(source.path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw error;
      // Whatever it was, copying the bytes works or says what is wrong.
      this.#mayClone = false;
      return false;
    }
    await chmod(target, 0o600);
    const handle = await open(target, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  }
}

async function copyBytes(
  { handle: from, sizeBytes }: CopySource,
  to: FileHandle,
  { signal, onProgress }: CopyOptions,
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(PIECE_SIZE_BYTES, Math.max(sizeBytes, 1)));
  const sync = new BackgroundSync(to);
  try {
    for (let done = 0; done < sizeBytes;) {
      throwIfAborted(signal, 'cannot copy');
      const length = await readPiece(
        from,
        buffer.subarray(0, Math.min(buffer.length, sizeBytes - done)),
        done,
      );
      for (let written = 0; written < length;) {
        written += (await to.write(buffer, written, length - written, done + written)).bytesWritten;
      }
      done += length;
      sync.note(done);
      onProgress(done);
    }
    await sync.finish();
  } finally {
    await sync.idle();
  }
}

async function readPiece(from: FileHandle, piece: Uint8Array, position: number): Promise<number> {
  let bytesRead;
  try {
    ({ bytesRead } = await from.read(piece, 0, piece.length, position));
  } catch (error) {
    throw new SourceUnreadable('it cannot be read', { cause: error });
  }
  if (bytesRead === 0)
    throw new SourceUnreadable('it is cut off', { cause: new StorageError('FAILED', 'it ended early') });
  return bytesRead;
}
