import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errors.ts';

/**
 * Makes a folder and those it is in. Returns the first that it made, `undefined` when it was there. Throws what the file system throws. Node's own
 * recursive `mkdir` never returns where a folder says ENOENT to whatever is made in it, as /proc does (Node 24).
 */
export async function makeFolders(path: string, mode?: number): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    // Not every system says EEXIST of the root of a disk, or on one that is read-only.
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return undefined;
    const parent = dirname(path);
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw error;
    const first = await makeFolders(parent, mode);
    await mkdir(path, { mode });
    return first ?? path;
  }
}
