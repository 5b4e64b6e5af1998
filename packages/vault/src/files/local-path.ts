import { chmod, lstat, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncFolder } from '../durable-file.ts';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { makeFolders } from '../make-folders.ts';

// https://learn.microsoft.com/windows/win32/fileio/naming-a-file: also with an extension, and with superscript digits.
const WINDOWS_RESERVED = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;
const WINDOWS_FORBIDDEN = /[<>:"/\\|?*\p{Cc}]/gu;

/**
 * One segment of a stored path as a name for this machine's file system. It is never a way out of the folder it is put in: no
 * separator, no `..`, no drive, no device, no alternate data stream. On Windows what can't stand in a name becomes `_`.
 */
export function toLocalName(segment: string, platform: NodeJS.Platform = process.platform): string {
  if (
    segment === '' ||
    segment === '.' ||
    segment === '..' ||
    segment.includes('/') ||
    segment.includes('\0')
  ) {
    throw new VaultError(
      'INVALID_INPUT',
      `${JSON.stringify(segment)} cannot be the name of a file on this machine`,
    );
  }
  if (platform !== 'win32') return segment;
  const name = segment.replace(WINDOWS_FORBIDDEN, '_').replace(/[. ]+$/, (end) => '_'.repeat(end.length));
  return WINDOWS_RESERVED.test(name) ? `_${name}` : name;
}

export type FolderGuard = (folder: string) => Promise<void>;

/** The process on whose behalf something is written, which may be another one. */
export interface Origin {
  /** Absolute: where relative paths are taken from. */
  readonly cwd: string;
  /** Taken from the modes of what is made, instead of that of this process. */
  readonly umask: number | undefined;
}

/**
 * A path as the process whose current folder is `cwd` means it. Nothing is taken out of it: `link/.` and `link/..` go through the link, as they do for
 * the operating system. An empty one stays empty and leads nowhere.
 */
export function pathFrom(cwd: string, path: string): string {
  if (process.platform === 'win32') return path === '' ? '' : resolve(cwd, path);
  return path === '' || path.startsWith('/') ? path : `${cwd}/${path}`;
}

/**
 * Makes a folder, with `recursive` also those it is in, whose names are durable when it returns: what is acknowledged in it must not be lost with it. The mode of each is what
 * a process with that mask would give it. Throws what the file system throws.
 */
export async function makeFolder(
  path: string,
  options: { readonly umask: number | undefined; readonly recursive?: boolean },
): Promise<void> {
  const { umask, recursive = false } = options;
  let top: string | undefined = path;
  if (recursive) top = await makeFolders(path);
  else await mkdir(path);
  if (top === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    if (umask !== undefined) {
      // Whoever owns the folder above may hand down its group: that bit stays.
      const inherited = (await stat(made)).mode & 0o7000;
      await chmod(made, inherited | (0o777 & ~umask));
    }
    await syncFolder(dirname(made));
    if (made === top || made === dirname(made)) return;
  }
}

/**
 * Makes the folders `segments` below `root`, one by one, and returns the path of the last. A link among them is refused: it could lead
 * out of `root`. `guard` is asked of each folder, `root` included, before it is made or used, and throws what keeps it from being that.
 */
export async function makeFoldersBelow(
  root: string,
  segments: readonly string[],
  { guard, cwd, umask }: Origin & { readonly guard: FolderGuard },
): Promise<string> {
  let path = root;
  await guard(pathFrom(cwd, path));
  for (const segment of segments) {
    path = join(path, toLocalName(segment));
    const absolute = pathFrom(cwd, path);
    await guard(absolute);
    try {
      await makeFolder(absolute, { umask });
    } catch (error) {
      const found = await lstat(absolute).catch(() => undefined);
      if (found?.isDirectory() === true) continue;
      if (found === undefined) throw errnoToVaultError(error, `cannot make the folder ${path}`);
      const what = found.isSymbolicLink() ? 'a link' : 'not a folder';
      throw new VaultError('EXISTS', `cannot make the folder ${path}: there is ${what} of that name`);
    }
  }
  return path;
}
