import { constantTimeEqual, createSha256 } from '@coffer/crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { VaultError } from '../errors.ts';

const READ_SIZE_BYTES: number = 256 * 1024;

/**
 * Whether there is a regular file at `path` with this size and SHA-256; all of it is read. What can't be read, or is a link, has not.
 * Throws `ABORTED`.
 */
export async function hasContent(
  path: string,
  content: { readonly sizeBytes: number; readonly sha256: Uint8Array },
  signal?: AbortSignal,
): Promise<boolean> {
  let handle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size !== content.sizeBytes) return false;
    const hash = createSha256();
    const buffer = new Uint8Array(READ_SIZE_BYTES);
    for (let done = 0; done < content.sizeBytes;) {
      if (signal?.aborted === true)
        throw new VaultError('ABORTED', 'it was cancelled', { cause: signal.reason });
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, done);
      if (bytesRead === 0) return false;
      hash.update(buffer.subarray(0, bytesRead));
      done += bytesRead;
    }
    return constantTimeEqual(hash.digest(), content.sha256);
  } catch (error) {
    if (error instanceof VaultError) throw error;
    return false;
  } finally {
    await handle.close();
  }
}
