import { acquireOwnerLock } from '@coffer/database';
import { existsSync } from 'node:fs';
import { VaultError } from './errors.ts';
import { vaultPaths } from './paths.ts';
import { toVaultError } from './to-vault-error.ts';

/**
 * For who has found no agent: throws `IN_USE`, with the number of the process where that is known, when one has the vault open all the same. Takes the owner's lock for a
 * moment.
 */
export function checkNotOpen(directory: string): void {
  const { ownerLock } = vaultPaths(directory);
  if (!existsSync(ownerLock)) return;
  try {
    acquireOwnerLock(ownerLock).release();
  } catch (error) {
    const translated = toVaultError(error);
    // Whatever else is wrong with it is said when the vault is opened.
    if (translated.code !== 'IN_USE') return;
    throw new VaultError('IN_USE', translated.message, {
      cause: error,
      hint: 'wait until it is done; an agent that was started with another XDG_RUNTIME_DIR or TMPDIR is found with those, and SIGTERM makes it lock the vault',
    });
  }
}
