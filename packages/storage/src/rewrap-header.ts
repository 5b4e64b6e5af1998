import { SEALED_FILE, decodeHeader, encodeHeaderBlock } from '@coffer/crypto';
import type { DecodedHeader } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { fileIdToBytes } from '@coffer/database';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from './errno.ts';
import { StorageError } from './errors.ts';
import type { StorageKeys } from './storage-keys.ts';

const { HEADER_SIZE_BYTES, HEADER_BLOCK_SIZE_BYTES } = SEALED_FILE;

/** What a sealed, temporary or partial file's header says. */
export interface HeaderState {
  readonly keyEpoch: number;
  /** 1 in a file that was sealed under this epoch, more in one whose header came from an earlier one. */
  readonly sequence: bigint;
}

/**
 * Brings the header of a file to the current key epoch: the same file key, wrapped under the current storage key, is written to the free
 * place, synced and read back; then the other place is filled with zeros and synced (docs/spec/sealed-file.md §5). A write that is torn, or ends with the
 * power, leaves a header that opens under the old key or the new one; doing it again finishes it. `false` when there was nothing to do.
 *
 * In a turn of the file (`FileTurns`).
 *
 * @throws CryptoError as `decodeHeader`, when no place is authentic; what the file system throws (ENOENT)
 */
export async function rewrapHeader(path: string, id: FileId, keys: StorageKeys): Promise<boolean> {
  const handle = await openRegular(path, constants.O_RDWR);
  try {
    const { header, fileKey, place, isOtherPlaceFree } = await readHeader(handle, id, keys);
    try {
      const keyEpoch = keys.currentEpoch;
      if (header.keyEpoch === keyEpoch) {
        if (isOtherPlaceFree) return false;
        await writePlace(handle, 1 - place, new Uint8Array(HEADER_BLOCK_SIZE_BYTES));
        return true;
      }
      const next = { ...header, keyEpoch, sequence: header.sequence + 1n };
      await writePlace(handle, 1 - place, encodeHeaderBlock(keys.get(keyEpoch), fileKey, next));
      await proveNext(handle, id, keys, next.sequence);
      await writePlace(handle, place, new Uint8Array(HEADER_BLOCK_SIZE_BYTES));
      return true;
    } finally {
      fileKey[Symbol.dispose]();
    }
  } finally {
    await handle.close();
  }
}

/** In a turn of the file. Throws as `rewrapHeader`. */
export async function readHeaderState(path: string, id: FileId, keys: StorageKeys): Promise<HeaderState> {
  const handle = await openRegular(path, constants.O_RDONLY);
  try {
    const { header, fileKey } = await readHeader(handle, id, keys);
    fileKey[Symbol.dispose]();
    return header;
  } finally {
    await handle.close();
  }
}

/** Never through a link, and without waiting for the other end of a FIFO. */
async function openRegular(path: string, access: number): Promise<FileHandle> {
  const handle = await open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw new StorageError('NOT_A_FILE', `${path} is not a regular file`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function isGone(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT';
}

async function readHeader(handle: FileHandle, id: FileId, keys: StorageKeys): Promise<DecodedHeader> {
  const header = new Uint8Array(HEADER_SIZE_BYTES);
  for (let done = 0; done < header.length;) {
    const { bytesRead } = await handle.read(header, done, header.length - done, done);
    // What is too short has zeros there, and no authentic header.
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return decodeHeader(header, { storageKeyOf: (epoch) => keys.find(epoch), fileId: fileIdToBytes(id) });
}

/** The new block, as it comes back, is what every reader will use: only then does the old one go. */
async function proveNext(handle: FileHandle, id: FileId, keys: StorageKeys, sequence: bigint): Promise<void> {
  const { header, fileKey } = await readHeader(handle, id, keys);
  fileKey[Symbol.dispose]();
  if (header.sequence === sequence && header.keyEpoch === keys.currentEpoch) return;
  throw new StorageError('FAILED', `the new header of file ${id} did not come back as written`);
}

async function writePlace(handle: FileHandle, place: number, block: Uint8Array): Promise<void> {
  const start = place * HEADER_BLOCK_SIZE_BYTES;
  for (let done = 0; done < block.length;) {
    done += (await handle.write(block, done, block.length - done, start + done)).bytesWritten;
  }
  await handle.datasync();
}
