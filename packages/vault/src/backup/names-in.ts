import { readdir } from 'node:fs/promises';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';

/** The names in a folder, none when it is not there. Throws `EXISTS` when it is no folder. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    if (errnoOf(error) === 'ENOTDIR')
      throw new VaultError('EXISTS', `${directory} is not a folder`, { cause: error });
    throw errnoToVaultError(error, `cannot read ${directory}`);
  }
}
