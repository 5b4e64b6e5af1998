import { acquireOwnerLock } from '@coffer/database';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finishCommit, settleBackup } from './backup/commit.ts';
import { findOpenableBackup } from './backup/openable.ts';
import { UNFINISHED_RESTORE, isUnfinishedRestore } from './backup/restore-target.ts';
import { VaultError } from './errors.ts';
import { removeDatabaseCopy } from './import/discordopus/database-copy.ts';
import { openParts } from './open-parts.ts';
import { vaultPaths } from './paths.ts';
import type { VaultPaths } from './paths.ts';
import type { SlotInfo, SlotSecret } from './slots/slot.ts';
import { toVaultError } from './to-vault-error.ts';
import { UNFINISHED_INIT, isUnfinishedInit } from './unfinished-init.ts';
import { Vault } from './vault.ts';
import { repairVaultFile } from './vault-file/change-slots.ts';
import { readVaultFile } from './vault-file/read.ts';
import { unlockVaultFile } from './vault-file/unlock.ts';

export interface OpenVaultOptions {
  readonly directory: string;
  readonly secret: SlotSecret;
  /** Try this key slot only. */
  readonly slotId?: string;
  /** How long the keychain may take to answer; a minute when not given. It may be waiting for somebody to unlock it. */
  readonly keychainTimeoutMs?: number;
  /** Ends waiting for the keychain. */
  readonly signal?: AbortSignal;
}

/** What can be known of a vault without opening it. */
export interface VaultSlots {
  readonly formatVersion: number;
  /** 32 hex digits. */
  readonly vaultId: string;
  readonly slots: readonly SlotInfo[];
  /** A copy of vault.json that is missing or damaged, modes that are too loose. */
  readonly warnings: readonly string[];
}

/**
 * Opens a vault, as its only owner, and finishes or undoes what a crash left. Throws `NO_VAULT`, `IN_USE`, `WRONG_KEY`, `TOO_NEW`, `DAMAGED`,
 * `NOT_PERMITTED`.
 */
export async function openVault(options: OpenVaultOptions): Promise<Vault> {
  const paths = vaultPaths(options.directory);
  await using opening = new AsyncDisposableStack();
  try {
    await readVaultSlots(options.directory);
    // Before the secret is tried: who has to wait for the owner should not wait for Argon2id first.
    opening.use(acquireOwnerLock(paths.ownerLock));
    await finishCommit(paths.directory);
    const backup = await findOpenableBackup(paths);
    const found = await readVaultFile(paths);
    const unlocked = await unlockVaultFile(found, options.secret, options);
    const rootKey = opening.use(unlocked.rootKey);
    const file = await repairVaultFile(unlocked.file, rootKey);
    for (const marker of [UNFINISHED_INIT, UNFINISHED_RESTORE])
      await rm(join(paths.directory, marker), { force: true });
    // Of an import that was killed. What can't be removed now does not keep the vault closed.
    await removeDatabaseCopy(paths.directory).catch(() => undefined);
    const isRepaired = unlocked.file.needsRepair && !file.needsRepair;
    // Loose modes are not repaired; check finds them again.
    const repaired = isRepaired ? found.warnings.filter((line) => !found.modeWarnings.includes(line)) : [];
    try {
      return new Vault(await openParts(paths, file, rootKey, opening, { repaired, backup }));
    } catch (error) {
      throw found.isCopyForeign ? foreignCopy(paths, error) : error;
    }
  } catch (error) {
    throw toVaultError(error);
  }
}

/** Two vaults' files in one folder, and the database is not that of the one whose key was used. */
function foreignCopy(paths: VaultPaths, cause: unknown): VaultError {
  const message = `${paths.vaultFile} does not open ${paths.database}, and ${paths.vaultFileCopy} belongs to another vault than it`;
  return new VaultError('DAMAGED', message, {
    cause,
    hint: `one of the two is this vault's: put ${paths.vaultFile} aside, copy ${paths.vaultFileCopy} to its place, and try again`,
  });
}

/** Reads what a vault can be opened with, without a key. Throws `NO_VAULT`, `TOO_NEW`, `DAMAGED`. */
export async function readVaultSlots(directory: string): Promise<VaultSlots> {
  const paths = vaultPaths(directory);
  if (isUnfinishedInit(paths)) {
    throw new VaultError('NO_VAULT', `making the vault in ${directory} was interrupted before it was one`, {
      hint: 'run `coffer init` again; nothing was stored in it',
    });
  }
  if (isUnfinishedRestore(paths)) {
    throw new VaultError(
      'NO_VAULT',
      `restoring the vault in ${directory} was interrupted before it was one`,
      {
        hint: 'run `coffer restore` again: it goes on where it was interrupted',
      },
    );
  }
  await settleBackup(paths);
  await findOpenableBackup(paths);
  const { formatVersion, vaultId, slots, warnings } = await readVaultFile(paths);
  return { formatVersion, vaultId, slots, warnings };
}
