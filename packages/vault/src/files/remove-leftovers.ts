import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The temporary names of `writeFileTo` and of the list of checksums. */
const LEFTOVER = /^\.coffer-[0-9a-f]{16}\.tmp$/;

/** Removes what an export or a get that was killed has left in a folder. What can't be removed stays. */
export async function removeLeftovers(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isFile() && LEFTOVER.test(entry.name))
      await unlink(join(folder, entry.name)).catch(() => undefined);
  }
}
