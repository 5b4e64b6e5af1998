import { SecretKey } from '@coffer/crypto';
import { acquireOwnerLock, createDatabase } from '@coffer/database';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createDurableFile, syncFolder } from './durable-file.ts';
import { VaultError, errnoToVaultError } from './errors.ts';
import { openParts, openVaultDatabase } from './open-parts.ts';
import { vaultPaths } from './paths.ts';
import type { VaultPaths } from './paths.ts';
import { RollbackGuard, evidenceKeychain } from './rollback/rollback-guard.ts';
import type { Argon2idCost, SlotSecret } from './slots/slot.ts';
import { VaultKeys } from './rotate/vault-keys.ts';
import { toVaultError } from './to-vault-error.ts';
import { UNFINISHED_INIT, isUnfinishedInit } from './unfinished-init.ts';
import { Vault } from './vault.ts';
import { createVaultFile } from './vault-file/create.ts';
import { makeFolders } from './make-folders.ts';

export interface CreateVaultOptions {
  /** Made, 0700, when it does not exist; otherwise it has to be empty. */
  readonly directory: string;
  /** What opens the vault. */
  readonly secret: SlotSecret;
  readonly label?: string;
  /** 64 MiB, 3 passes, parallelism 4 when not given. */
  readonly argon2id?: Argon2idCost;
  /** A second key slot for this code (`createRecoveryCode`). Needed with the keychain, which must not be all that opens a vault. */
  readonly recoveryCode?: Uint8Array;
  /** 32 hex digits; random when not given. */
  readonly vaultId?: string;
  /** How long the keychain may wait for somebody to unlock it; a minute when not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
  /** Ends waiting for the keychain. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a vault and opens it. It exists from the moment its `vault.json` is durable; what a crash leaves before that, the next call clears.
 * Throws `EXISTS` (a vault, or a folder that is not empty), `INVALID_INPUT`, `NO_SPACE`, `NOT_PERMITTED`, `IN_USE`.
 */
export async function createVault(options: CreateVaultOptions): Promise<Vault> {
  const paths = vaultPaths(options.directory);
  await using opening = new AsyncDisposableStack();
  try {
    await makeFolder(paths);
    opening.use(acquireOwnerLock(paths.ownerLock));
    await clearUnfinishedInit(paths);
    await createDurableFile(join(paths.directory, UNFINISHED_INIT), new Uint8Array());
    // Disposed of twice when all goes well: by itself, and by the keys that take it over.
    const rootKey = opening.use(SecretKey.generate());
    makeDatabase(paths, rootKey);
    const file = await createVaultFile(paths, { ...options, rootKey });
    await rm(join(paths.directory, UNFINISHED_INIT));
    await syncFolder(paths.directory);
    const keys = opening.use(VaultKeys.open(rootKey, file.current.content));
    const database = opening.use(openVaultDatabase(paths, keys));
    const { vaultId, generation } = file;
    const keychain = evidenceKeychain();
    const guard = opening.use(
      await RollbackGuard.open({ keychain, database, vaultId, generation, isBackup: false }),
    );
    return new Vault(await openParts({ paths, file, keys, database, guard }, opening));
  } catch (error) {
    throw toVaultError(error);
  }
}

async function makeFolder(paths: VaultPaths): Promise<void> {
  try {
    await makeFolders(paths.directory, 0o700);
    const names = await readdir(paths.directory);
    // A mounted disk has a `lost+found` in its root from the beginning; the lock, which is empty, is what an `init` makes first of all.
    const isEmpty = names.every((name) => name === 'lost+found' || name === basename(paths.ownerLock));
    if (isEmpty || isUnfinishedInit(paths)) {
      await syncFolder(dirname(paths.directory));
      return;
    }
    const isVault = names.includes('vault.json') || names.includes('vault.json.bak');
    throw isVault
      ? new VaultError('EXISTS', `there is a vault in ${paths.directory} already`)
      : new VaultError('EXISTS', `the folder ${paths.directory} is not empty`, {
          hint: 'choose an empty one',
        });
  } catch (error) {
    throw errnoToVaultError(error, `cannot make a vault in ${paths.directory}`);
  }
}

/** Only what an `init` that never finished has made itself; nobody was ever told that it is a vault. */
async function clearUnfinishedInit(paths: VaultPaths): Promise<void> {
  if (!isUnfinishedInit(paths)) return;
  const { database, vaultFile, vaultFileCopy, files } = paths;
  const made = [database, `${database}-wal`, `${database}-shm`, `${database}-journal`, `${database}.reserve`];
  const leftovers = [vaultFileCopy, `${vaultFile}.tmp`, `${vaultFileCopy}.tmp`, files];
  for (const path of [...made, ...leftovers]) await rm(path, { recursive: true, force: true });
  // Their names must not come back, after a loss of power, without the one that says whose they are.
  await syncFolder(paths.directory);
  await rm(join(paths.directory, UNFINISHED_INIT));
}

function makeDatabase(paths: VaultPaths, rootKey: SecretKey): void {
  using databaseKey = rootKey.derive('coffer/database/v1');
  const key = databaseKey.exportBytes();
  try {
    createDatabase({ path: paths.database, key }).close();
  } finally {
    key.fill(0);
  }
}
