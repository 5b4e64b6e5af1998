import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { VaultError, errnoToVaultError } from '../errors.ts';

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

/**
 * Makes the folders `segments` below `root`, one by one, and returns the path of the last. A link among them is refused: it could lead
 * out of `root`. `guard` is asked of each folder, `root` included, before it is made or used, and throws what keeps it from being that.
 */
export async function makeFoldersBelow(
  root: string,
  segments: readonly string[],
  guard: FolderGuard,
): Promise<string> {
  let path = root;
  await guard(path);
  for (const segment of segments) {
    path = join(path, toLocalName(segment));
    await guard(path);
    try {
      await mkdir(path);
    } catch (error) {
      const stat = await lstat(path).catch(() => undefined);
      if (stat?.isDirectory() === true) continue;
      if (stat === undefined) throw errnoToVaultError(error, `cannot make the folder ${path}`);
      const what = stat.isSymbolicLink() ? 'a link' : 'not a folder';
      throw new VaultError('EXISTS', `cannot make the folder ${path}: there is ${what} of that name`);
    }
  }
  return path;
}
