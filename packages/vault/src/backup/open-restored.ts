import type { CofferDatabase } from '@coffer/database';
import { FileStorage, shredWhole } from '@coffer/storage';
import { rebuildDatabase } from '../doctor/rebuild-vault.ts';
import type { RebuildSummary } from '../doctor/rebuild-vault.ts';
import { toFinding } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import type { VaultPaths } from '../paths.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';
import { toVaultError } from '../to-vault-error.ts';

/** The database of a backup, copied to where its vault is to be, and the storage that its files are restored to. */
export interface RestoredParts extends AsyncDisposable {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  /** Whether the database did not open, and was made anew. */
  readonly isRebuilt: boolean;
  /** What is lost of it then. */
  readonly findings: readonly Finding[];
}

/** Opens them. A database that does not open gives what is on its pages all the same: the copy is rebuilt. */
export async function openRestored(
  paths: VaultPaths,
  keys: VaultKeys,
  { source, signal }: { readonly source: VaultPaths; readonly signal: AbortSignal | undefined },
): Promise<RestoredParts> {
  try {
    return await openParts(paths, keys);
  } catch (error) {
    const { code, message } = toVaultError(error);
    if (code !== 'DAMAGED') throw error;
    const rebuilt = await rebuildDatabase(paths, keys, {
      sealedFrom: source.directory,
      ...(signal === undefined ? {} : { signal }),
    });
    // The backup still has it.
    for (const suffix of ['', '-wal']) await shredWhole(paths.keptDatabase + suffix);
    const findings = findingsOf(paths, rebuilt, message);
    return { ...(await openParts(paths, keys)), isRebuilt: true, findings };
  }
}

const REMEDY = 'everything that can be read was restored; look for the rest in an older backup';

function findingsOf(
  { database }: VaultPaths,
  { lost, withNewNames }: RebuildSummary,
  why: string,
): Finding[] {
  const finding = toFinding('DATABASE_UNREADABLE', { item: database, message: `in the backup, ${why}` });
  const lostFiles = lost.map(({ id, folder, name, path }) =>
    toFinding('ROW_DAMAGED', { item: path, message: `${path} is lost`, file: { id, folder, name } }),
  );
  const named = withNewNames.map(({ id, folder, name, path }) =>
    toFinding('ROW_DAMAGED', {
      item: path,
      message: `the name of this file was lost; it is called ${path} now`,
      file: { id, folder, name },
    }),
  );
  return [finding, ...lostFiles, ...named].map((each) => ({ ...each, remedy: REMEDY }));
}

async function openParts(paths: VaultPaths, keys: VaultKeys): Promise<RestoredParts> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(keys.openDatabase(paths.database));
  const { storage } = await FileStorage.open({
    directory: paths.directory,
    database,
    keys: keys.storage,
    databaseKey: () => keys.exportDatabaseKey(),
  });
  opening.defer(() => storage.close());
  const resources = opening.move();
  return {
    database,
    storage,
    isRebuilt: false,
    findings: [],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Sealed files of the backup whose names its database has lost. */
export async function unnamedFindings({ quarantine }: VaultPaths, storage: FileStorage): Promise<Finding[]> {
  const { length } = await storage.listQuarantine();
  if (length === 0) return [];
  const message = `${String(length)} sealed ${length === 1 ? 'file' : 'files'} of the backup, whose names are lost, went to quarantine/`;
  return [toFinding('QUARANTINED', { item: quarantine, message })];
}
