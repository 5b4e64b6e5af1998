import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Whether `path` is `directory` or in it, when all links are followed. Parts that do not exist stay as they are. */
export async function isInside(path: string, directory: string): Promise<boolean> {
  const below = relative(await realPathOf(resolve(directory)), await realPathOf(resolve(path)));
  // On Windows, a path on another drive comes out absolute.
  return below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}

async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realPathOf(parent), basename(path));
  }
}
