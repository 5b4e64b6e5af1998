import type { SecretKey } from '@coffer/crypto';
import { openDatabase } from '@coffer/database';
import { FileStorage, StorageError, StorageKeys } from '@coffer/storage';
import type { FileStorageOptions, Recovery } from '@coffer/storage';
import { existsSync } from 'node:fs';
import { VaultError } from './errors.ts';
import type { VaultPaths } from './paths.ts';
import { KeySlots } from './slots/key-slots.ts';
import { toVaultError } from './to-vault-error.ts';
import type { VaultParts } from './vault.ts';
import type { VaultFile } from './vault-file/vault-file.ts';

const DATABASE_HINT = 'put data.db back from a backup of the vault; the sealed files in files/ are untouched';

/**
 * Opens what a root key opens. `opening` has the owner's lock and the root key already; on success everything moves from it to the result, and a
 * failure leaves it to the caller to undo.
 */
export async function openParts(
  paths: VaultPaths,
  file: VaultFile,
  rootKey: SecretKey,
  opening: AsyncDisposableStack,
  { repaired = [], backup }: Pick<Partial<VaultParts>, 'repaired' | 'backup'> = {},
): Promise<VaultParts> {
  const databaseKey = opening.use(rootKey.derive('coffer/database/v1'));
  const keys = opening.use(StorageKeys.derive(rootKey));
  refuseMissingDatabase(paths);
  const key = databaseKey.exportBytes();
  let database;
  try {
    database = opening.use(openDatabase({ path: paths.database, key }));
  } catch (error) {
    throw withDatabaseHint(toVaultError(error));
  } finally {
    key.fill(0);
  }
  const { storage, recovery } = await openStorage({
    directory: paths.directory,
    database,
    keys,
    databaseKey: () => databaseKey.exportBytes(),
  });
  opening.defer(() => storage.close());
  if (backup !== undefined) database.refuseChanges();
  const slots = new KeySlots(file, rootKey);
  const warnings = [...file.warnings, ...describeRecovery(recovery)];
  return { paths, database, storage, slots, warnings, repaired, backup, resources: opening.move() };
}

async function openStorage(options: FileStorageOptions): ReturnType<typeof FileStorage.open> {
  try {
    return await FileStorage.open(options);
  } catch (error) {
    if (!(error instanceof StorageError) || error.damage !== 'FOLDER_DAMAGED') throw error;
    const hint =
      'move what is there away; put the folder back from a backup, or go on with the small files alone';
    throw new VaultError('DAMAGED', error.message, { cause: error, hint });
  }
}

/** A vault without its database is never given a new one: that would look as if it had always been empty. */
function refuseMissingDatabase(paths: VaultPaths): void {
  if (existsSync(paths.database)) return;
  throw new VaultError(
    'DAMAGED',
    `the database ${paths.database} is missing, and with it all names and small files`,
    { hint: DATABASE_HINT },
  );
}

/** `check` needs the database, too, so that it is no advice for one that does not open. */
function withDatabaseHint(error: VaultError): VaultError {
  if (error.code !== 'DAMAGED') return error;
  return new VaultError(error.code, error.message, { cause: error, hint: DATABASE_HINT });
}

/** What is worth telling of a recovery: not that it tidied up, but what needs somebody's attention. */
function describeRecovery(recovery: Recovery | undefined): string[] {
  if (recovery === undefined) return [];
  const lines: string[] = [];
  const { quarantined, damaged, pending } = recovery;
  if (quarantined.length > 0) {
    lines.push(
      `${count(quarantined, 'sealed file')} that this vault does not know moved to quarantine/: was an older data.db put back?`,
    );
  }
  if (damaged.length > 0)
    lines.push(
      `the sealed data of ${count(damaged, 'file')} is missing or has the wrong length: see \`coffer check\``,
    );
  if (pending.length > 0)
    lines.push(
      `${count(pending, 'sealed file')} could not be moved or removed; the next command tries again`,
    );
  return lines;
}

function count(items: readonly unknown[], what: string): string {
  return `${String(items.length)} ${what}${items.length === 1 ? '' : 's'}`;
}
