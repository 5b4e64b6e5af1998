import { acquireOwnerLock } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { vaultPaths } from '../paths.ts';
import { toVaultError } from '../to-vault-error.ts';

/** The lock of whoever writes to the folder or has it open. */
export function lockFolder(directory: string): Disposable {
  try {
    return acquireOwnerLock(vaultPaths(directory).ownerLock);
  } catch (error) {
    const translated = toVaultError(error);
    if (translated.code !== 'IN_USE') throw translated;
    throw new VaultError('IN_USE', `${directory} is in use by another process`, {
      cause: error,
      hint: 'wait until it is done',
    });
  }
}
