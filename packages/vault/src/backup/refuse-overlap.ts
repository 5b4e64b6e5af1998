import { VaultError } from '../errors.ts';
import { isInside } from '../is-inside.ts';

/** A backup and a vault are never in one another: each would be taken for a part of the other. Throws `INVALID_INPUT`. */
export async function refuseOverlap(
  path: string,
  directory: string,
  what: 'vault' | 'backup' = 'vault',
): Promise<void> {
  if (await isInside(path, directory)) {
    throw new VaultError('INVALID_INPUT', `${path} is in the ${what}`, {
      hint: 'choose a folder outside, on another disk at best',
    });
  }
  if (await isInside(directory, path)) {
    throw new VaultError('INVALID_INPUT', `the ${what} is in ${path}`, {
      hint: 'choose a folder of its own',
    });
  }
}
