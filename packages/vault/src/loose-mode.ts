import { accessSync, constants } from 'node:fs';
import { errnoOf } from './errors.ts';

/** What to say of a file or folder that others than its owner may read, write or enter; nothing on Windows, which has no modes. */
export function looseModeWarning(path: string, mode: number): string | undefined {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return undefined;
  const found = (mode & 0o777).toString(8).padStart(4, '0');
  return `other users of this machine may have access to ${path} (its mode is ${found}); end that with \`chmod go=\``;
}

/** The same of a part of a vault, and nothing on a read-only disk, where modes are what whoever made it or mounted it says. */
export function vaultModeWarning(path: string, mode: number): string | undefined {
  const warning = looseModeWarning(path, mode);
  return warning === undefined || isOnReadOnlyDisk(path) ? undefined : warning;
}

function isOnReadOnlyDisk(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return errnoOf(error) === 'EROFS';
  }
}
