import { DatabaseError, acquireOwnerLock, acquireReaderLock, putRebuiltInPlace } from '@coffer/database';
import type { CofferDatabase, ReadingCopy } from '@coffer/database';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finishCommit, settleBackup } from './backup/commit.ts';
import { findOpenableBackup } from './backup/openable.ts';
import { UNFINISHED_RESTORE, isUnfinishedRestore } from './backup/restore-target.ts';
import { VaultError } from './errors.ts';
import { refuseLinks } from './links.ts';
import { removeDatabaseCopy } from './import/discordopus/database-copy.ts';
import { openParts, openVaultDatabase, toOpeningError } from './open-parts.ts';
import type { OpenedAs } from './open-parts.ts';
import { vaultPaths } from './paths.ts';
import type { VaultPaths } from './paths.ts';
import { copyForReading, whyReadOnly } from './read-only.ts';
import { takeKeys } from './rotate/vault-keys.ts';
import type { VaultKeys } from './rotate/vault-keys.ts';
import type { SlotInfo, SlotSecret } from './slots/slot.ts';
import { RollbackGuard, evidenceKeychain } from './rollback/rollback-guard.ts';
import { UNFINISHED_INIT, isUnfinishedInit } from './unfinished-init.ts';
import { Vault } from './vault.ts';
import { AcknowledgedGeneration } from './vault-file/acknowledged.ts';
import { repairVaultFile } from './vault-file/change-slots.ts';
import { readVaultFile } from './vault-file/read.ts';
import { unlockVaultFile } from './vault-file/unlock.ts';
import type { UnlockedVaultFile } from './vault-file/unlock.ts';
import type { VaultFile } from './vault-file/vault-file.ts';

export interface OpenVaultOptions {
  readonly directory: string;
  readonly secret: SlotSecret;
  /** Try this key slot only. */
  readonly slotId?: string;
  /** How long the keychain may wait for somebody to unlock it; a minute when not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
  /** Ends waiting for the keychain. */
  readonly signal?: AbortSignal;
  /**
   * Called when this process has the vault's lock, before the secret is tried, which takes its time. What it gives is disposed of before the lock is given back: when the vault can't be
   * opened, and when it is closed.
   */
  readonly announce?: () => Promise<AsyncDisposable | undefined>;
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
 * Opens a vault, as its only owner, and finishes or undoes what a crash left. One that nothing can be written to is opened to be read, beside others that do. Throws `NO_VAULT`, `IN_USE`, `WRONG_KEY`, `TOO_NEW`, `DAMAGED`,
 * `NOT_PERMITTED`.
 */
export async function openVault(options: OpenVaultOptions): Promise<Vault> {
  const paths = vaultPaths(options.directory);
  await using opening = new AsyncDisposableStack();
  try {
    await readVaultSlots(options.directory);
    const keychain = opening.use(evidenceKeychain({ ahead: true }));
    // Before the secret is tried: who has to wait for the owner should not wait for Argon2id first.
    const readOnly = whyReadOnly(paths);
    opening.use(
      readOnly === undefined ? acquireOwnerLock(paths.ownerLock) : acquireReaderLock(paths.ownerLock),
    );
    opening.use(await options.announce?.());
    if (readOnly === undefined) {
      await finishCommit(paths.directory);
      putRebuiltInPlace(paths.database);
    }
    const backup = await findOpenableBackup(paths);
    const found = await readVaultFile(paths);
    const unlocked = await unlockVaultFile(found, options.secret, options);
    const keys = opening.use(takeKeys(unlocked));
    const isBackup = backup !== undefined;
    const copy = readOnly === undefined ? undefined : opening.use(await copyDatabase(paths));
    const database = opening.use(openOwnDatabase(paths, keys, found, unlocked, { copy, isBackup }));
    const acknowledged = new AcknowledgedGeneration(database);
    refuseUndoneChange(found, unlocked, acknowledged);
    const { vaultId, generation } = unlocked.file;
    const isReadOnly = readOnly !== undefined;
    const guard = opening.use(
      await RollbackGuard.open({ keychain, database, vaultId, generation, isBackup, isReadOnly }),
    );
    // Only now: what opens the database is the key that counts, whatever generation its file says. And an older copy stays as it is.
    const mayWrite = guard.rollback === undefined && !isReadOnly;
    const file = mayWrite ? await repairVaultFile(unlocked.file, keys.root) : unlocked.file;
    if (mayWrite && !isBackup) acknowledged.raise(file.generation);
    for (const marker of [UNFINISHED_INIT, UNFINISHED_RESTORE])
      await rm(join(paths.directory, marker), { force: true }).catch(() => undefined);
    // Of an import that was killed. What can't be removed now does not keep the vault closed, nor do markers that no vault heeds.
    await removeDatabaseCopy(paths.directory).catch(() => undefined);
    const isRepaired = unlocked.file.needsRepair && !file.needsRepair;
    // Loose modes are not repaired; check finds them again.
    const repaired = isRepaired ? found.warnings.filter((line) => !found.modeWarnings.includes(line)) : [];
    const opened = { paths, file, keys, database, guard };
    return new Vault(await openParts(opened, opening, { repaired, backup, readOnly }));
  } catch (error) {
    throw toOpeningError(error, paths);
  }
}

/** What SQLite reads where it can write nothing beside the database. */
async function copyDatabase(paths: VaultPaths): Promise<ReadingCopy | undefined> {
  try {
    return await copyForReading(paths);
  } catch (error) {
    // Opening says what it costs.
    if (error instanceof DatabaseError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

function openOwnDatabase(
  paths: VaultPaths,
  keys: VaultKeys,
  found: VaultFile,
  { file }: UnlockedVaultFile,
  as: OpenedAs,
): CofferDatabase {
  try {
    return openVaultDatabase(paths, keys, as);
  } catch (error) {
    const isWrongKey = error instanceof DatabaseError && error.code === 'WRONG_KEY';
    if (isWrongKey && keys.ownsPagesOf(paths.database))
      throw toOpeningError(firstPageDamaged(paths, error), paths);
    if (found.isCopyForeign) throw foreignCopy(paths, error);
    if (!isWrongKey) throw error;
    throw file.current === found.current ? otherKey(paths, error) : olderKey(error);
  }
}

/** Only a change that the database never saw done can have been interrupted between the two copies. */
function refuseUndoneChange(
  found: VaultFile,
  { file }: UnlockedVaultFile,
  acknowledged: AcknowledgedGeneration,
): void {
  if (file.current === found.current || file.generation >= acknowledged.value) return;
  throw new VaultError(
    'WRONG_KEY',
    'what was given opens only an older copy of the key slots, which no longer counts',
    {
      hint: `${found.paths.vaultFile} or ${found.paths.vaultFileCopy} was replaced by an older one; use a secret that opens the vault now`,
    },
  );
}

function firstPageDamaged({ database }: VaultPaths, cause: unknown): DatabaseError {
  return new DatabaseError('CORRUPT', `the first page of ${database} is damaged`, { cause });
}

/** The root key was rotated since, and an older copy of the key slots was put back beside the new one. */
function olderKey(cause: unknown): VaultError {
  return new VaultError(
    'WRONG_KEY',
    'what was given opens only an older copy of the key slots, which no longer counts',
    { cause, hint: 'the root key has been changed since; use a secret that opens the vault now' },
  );
}

function otherKey(paths: VaultPaths, cause: unknown): VaultError {
  return new VaultError(
    'DAMAGED',
    `${paths.vaultFile} is whole, and its key does not open ${paths.database}`,
    {
      cause,
      hint: 'one of the two is an older copy that was put back, or nothing of data.db is what it was: put back both from one backup',
    },
  );
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
  refuseLinks(paths);
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
