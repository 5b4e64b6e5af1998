import { SEALED_FILE } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../errno.ts';
import type { SealedFolder } from '../sealed-folder.ts';
import { SourceUnreadable } from './copy-sealed.ts';
import type { CopySource } from './copy-sealed.ts';

/** A sealed file as it was found: its length, and its header region as far as it is there. */
export interface Found {
  readonly sizeBytes: number;
  readonly header: Uint8Array;
}

/** While a save is being finished its file has a row and still its temporary name; its bytes are durable under either. */
export async function openSource(
  folder: SealedFolder,
  id: FileId,
): Promise<Omit<CopySource, 'sizeBytes'> | undefined> {
  for (const path of [folder.sealedPath(id), folder.temporaryPath(id), folder.sealedPath(id)]) {
    const handle = await tryOpen(path);
    if (handle !== undefined) return { path, handle };
  }
  return undefined;
}

/** What is under this name, or `undefined` when that is no regular file or can't be read. */
export async function findSealed(path: string): Promise<Found | undefined> {
  const handle = await tryOpen(path);
  if (handle === undefined) return undefined;
  try {
    return await readFound(handle);
  } catch (error) {
    if (error instanceof SourceUnreadable) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}

export async function tryOpen(path: string): Promise<FileHandle | undefined> {
  try {
    // A FIFO would keep us waiting for its other end.
    if (!(await lstat(path)).isFile()) return undefined;
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
}

export async function readFound(handle: FileHandle): Promise<Found> {
  const { size } = await handle.stat();
  const header = new Uint8Array(Math.min(size, SEALED_FILE.HEADER_SIZE_BYTES));
  for (let done = 0; done < header.length;) {
    let bytesRead;
    try {
      ({ bytesRead } = await handle.read(header, done, header.length - done, done));
    } catch (error) {
      throw new SourceUnreadable('its header cannot be read', { cause: error });
    }
    if (bytesRead === 0) throw new SourceUnreadable('it was cut off');
    done += bytesRead;
  }
  return { sizeBytes: size, header };
}

/** As far as length and header say: under one header there is one content. */
export function isSameFile(kept: Found, source: Found): boolean {
  return kept.sizeBytes === source.sizeBytes && Buffer.compare(kept.header, source.header) === 0;
}
