import { DatabaseError, keepsDamaged } from '@coffer/database';
import type { CofferDatabase, ReadingCopy } from '@coffer/database';
import { FileStorage, StorageError } from '@coffer/storage';
import type { FileStorageOptions, Recovery } from '@coffer/storage';
import { existsSync } from 'node:fs';
import { saysBackup } from './backup/marker.ts';
import { isTaken } from './doctor/examine-places.ts';
import { VaultError } from './errors.ts';
import { LongWork } from './long-work.ts';
import type { VaultPaths } from './paths.ts';
import { firstCopyHint } from './read-only.ts';
import type { RollbackGuard } from './rollback/rollback-guard.ts';
import { rotationState } from './rotate/rotate-vault.ts';
import type { RotationState } from './rotate/rotate-vault.ts';
import type { VaultKeys } from './rotate/vault-keys.ts';
import { KeySlots } from './slots/key-slots.ts';
import { toVaultError } from './to-vault-error.ts';
import type { VaultParts } from './vault.ts';
import { AcknowledgedGeneration } from './vault-file/acknowledged.ts';
import type { VaultFile } from './vault-file/vault-file.ts';

const REBUILD_HINT =
  'run `coffer doctor --rebuild`, which makes a new database of everything that can be read, and keeps this one';

const DATABASE_HINT = `put data.db back from a backup of the vault, with no data.db-wal beside it, or ${REBUILD_HINT}; the sealed files in files/ are untouched`;

/** A backup is not changed, and so not rebuilt either. */
const BACKUP_HINT =
  '`coffer restore` makes a vault of everything in it that can be read; the sealed files in files/ are untouched';

const MISSING_HINT =
  'put data.db back from a backup of the vault; without one, `coffer doctor --rebuild` makes an empty one, and the sealed files can be adopted from quarantine/';

/** What is open already when the storage is opened. */
export interface OpenedKeys {
  readonly paths: VaultPaths;
  readonly file: VaultFile;
  readonly keys: VaultKeys;
  readonly database: CofferDatabase;
  readonly guard: RollbackGuard;
}

/** What a database is opened as: that of a vault that can be changed, when neither is given. */
export interface OpenedAs {
  /** The copy of it that is read. */
  readonly copy?: ReadingCopy | undefined;
  /** Nothing is ever changed in a backup, nor put into it. */
  readonly isBackup?: boolean;
}

/**
 * Opens the database, or the copy of it that is read, with the keys of `vault.json`.
 *
 * @throws DatabaseError WRONG_KEY when they do not open it, which an older vault.json put back leads to as well as damage; VaultError
 */
export function openVaultDatabase(
  paths: VaultPaths,
  keys: VaultKeys,
  { copy, isBackup = false }: OpenedAs = {},
): CofferDatabase {
  refuseMissingDatabase(paths, copy?.path);
  refuseOtherLog(paths);
  try {
    return keys.openDatabase(copy?.path ?? paths.database, {
      label: paths.database,
      keepsReserve: copy === undefined && !isBackup,
    });
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'WRONG_KEY') throw error;
    throw toOpeningError(error, paths);
  }
}

/**
 * Opens the rest of a vault. `opening` has the owner's lock, the keys and the database already; on success everything moves from it to the result, and a
 * failure leaves it to the caller to undo.
 */
export async function openParts(
  { paths, file, keys, database, guard }: OpenedKeys,
  opening: AsyncDisposableStack,
  { repaired = [], backup, readOnly }: Pick<Partial<VaultParts>, 'repaired' | 'backup' | 'readOnly'> = {},
): Promise<VaultParts> {
  const slots = new KeySlots(file, keys.root, new AcknowledgedGeneration(database));
  guard.watch(slots);
  if (readOnly !== undefined) database.refuseChanges();
  const { storage, recovery } = await openStorage({
    directory: paths.directory,
    database,
    keys: keys.storage,
    databaseKey: () => keys.exportDatabaseKey(),
  });
  opening.defer(() => storage.close());
  if (backup !== undefined) database.refuseChanges();
  const parts = {
    paths,
    database,
    storage,
    slots,
    guard,
    keys,
    longWork: new LongWork(),
    repaired,
    backup,
    readOnly,
  };
  const warnings = [
    ...file.warnings,
    ...describeRecovery(recovery),
    ...describeRotation(rotationState(parts)),
    ...describeKept(paths),
  ];
  return { ...parts, warnings, resources: opening.move() };
}

/** What keeps a vault from opening. `check` has to open it, too, so that it is no advice about a damaged database. */
export function toOpeningError(error: unknown, paths: VaultPaths): VaultError {
  const translated = toVaultError(error);
  const isOfDatabase =
    error instanceof DatabaseError || (error instanceof StorageError && error.damage === 'DATABASE_DAMAGED');
  if (translated.code !== 'DAMAGED' || !isOfDatabase) return translated;
  return new VaultError('DAMAGED', translated.message, {
    cause: error,
    hint: saysBackup(paths.directory) ? BACKUP_HINT : firstCopyHint(paths) + DATABASE_HINT,
  });
}

function describeRotation(state: RotationState): string[] {
  if (state === 'none') return [];
  const what = state === 'reseal' ? 'sealing the files again after it' : 'the old one still opens some of it';
  return [`a change of the root key was interrupted (${what}): \`coffer key rotate\` goes on with it`];
}

function describeKept({ database, keptDatabase }: VaultPaths): string[] {
  if (!keepsDamaged(database)) return [];
  return [
    `${keptDatabase} is kept from rebuilding: what is removed, shredded or under an old key stays in it until it is removed`,
  ];
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
function refuseMissingDatabase(paths: VaultPaths, path: string = paths.database): void {
  if (existsSync(path)) return;
  throw new VaultError(
    'DAMAGED',
    `the database ${paths.database} is missing, and with it all names and small files`,
    { hint: firstCopyHint(paths) + MISSING_HINT },
  );
}

function refuseOtherLog({ database }: VaultPaths): void {
  const log = `${database}-wal`;
  if (!isTaken(log, 'file')) return;
  throw new VaultError('DAMAGED', `${log} is not the log of the database: something else is in its place`, {
    hint: 'move it away; if you have the data.db-wal that was there, put that back: it may have what was written last',
  });
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
