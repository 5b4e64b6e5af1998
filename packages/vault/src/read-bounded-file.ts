import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { VaultError, errnoOf } from './errors.ts';

export interface BoundedFile {
  readonly bytes: Uint8Array;
  /** Permission bits, as `stat` says. */
  readonly mode: number;
}

/**
 * Reads a regular file of at most `maxSizeBytes`. Never waits for a FIFO or device, never reads more than the bound. A symbolic
 * link is followed unless `noFollow` is set.
 *
 * @throws VaultError NOT_A_FILE, INVALID_INPUT (too large); what the file system throws is not translated
 */
export async function readBoundedFile(
  path: string,
  maxSizeBytes: number,
  options: { readonly noFollow?: boolean } = {},
): Promise<BoundedFile> {
  const handle = await openToRead(path, options.noFollow === true);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new VaultError('NOT_A_FILE', `${path} is not a regular file`);
    // One more than allowed shows a file that is too large, even if it grew since it was looked at.
    const buffer = new Uint8Array(maxSizeBytes + 1);
    let sizeBytes = 0;
    while (sizeBytes < buffer.length) {
      const { bytesRead } = await handle.read(buffer, sizeBytes, buffer.length - sizeBytes, sizeBytes);
      if (bytesRead === 0) break;
      sizeBytes += bytesRead;
    }
    if (sizeBytes > maxSizeBytes) {
      buffer.fill(0);
      throw new VaultError('INVALID_INPUT', `${path} is larger than ${String(maxSizeBytes)} bytes`);
    }
    return { bytes: buffer.subarray(0, sizeBytes), mode: stat.mode & 0o7777 };
  } finally {
    await handle.close();
  }
}

async function openToRead(path: string, noFollow: boolean): Promise<FileHandle> {
  // Without O_NONBLOCK, opening a FIFO waits for its writer. Windows has neither flag.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (noFollow ? constants.O_NOFOLLOW : 0);
  try {
    return await open(path, flags);
  } catch (error) {
    // ELOOP: a link that O_NOFOLLOW refuses. ENXIO: a socket.
    if (!['ELOOP', 'ENXIO', 'EISDIR'].includes(errnoOf(error) ?? '')) throw error;
    throw new VaultError('NOT_A_FILE', `${path} is not a regular file`, { cause: error });
  }
}
