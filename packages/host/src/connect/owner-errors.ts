import type { VaultError } from '@coffer/vault';

/** The owner has ended in the middle of a request. */
export async function ownerIsGone(): Promise<VaultError> {
  // Only now: loading it opens the database driver.
  const vault = await import('@coffer/vault');
  return new vault.VaultError('CLOSED', 'the agent that has this vault open ended before this was done', {
    hint: 'what was reported as done is done; run the command again for the rest',
  });
}

/** A process has the vault open, and it can't be talked to. */
export async function ownerIsDeaf(what: string, hint: string): Promise<VaultError> {
  const vault = await import('@coffer/vault');
  return new vault.VaultError('IN_USE', what, { hint });
}
