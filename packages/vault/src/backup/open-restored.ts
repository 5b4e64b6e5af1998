import { DatabaseError } from '@coffer/database';
import type { CofferDatabase, PageState } from '@coffer/database';
import { FileStorage, shredWhole } from '@coffer/storage';
import { RESTORE } from '../doctor/kinds/mends.ts';
import { isDamaged, readPages, rebuildDatabase } from '../doctor/rebuild-vault.ts';
import type { RebuildSummary } from '../doctor/rebuild-vault.ts';
import { toFinding } from '../doctor/finding.ts';
import type { Finding } from '../doctor/finding.ts';
import { VaultError } from '../errors.ts';
import type { VaultPaths } from '../paths.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';

/** The database of a backup, copied to where its vault is to be, and the storage that its files are restored to. */
export interface RestoredParts extends AsyncDisposable {
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  /** Whether the database was damaged, and was made anew. */
  readonly isRebuilt: boolean;
  /** What is lost of it then. */
  readonly findings: readonly Finding[];
}

/** Opens them. Of a database with pages that can't be read a new one is made of the others, whether it opens or not. */
export async function openRestored(
  paths: VaultPaths,
  keys: VaultKeys,
  { source, signal }: { readonly source: VaultPaths; readonly signal: AbortSignal | undefined },
): Promise<RestoredParts> {
  if (!isDamaged(await pagesOf(source, paths, keys))) return await openParts(paths, keys);
  const rebuilt = await rebuildDatabase(paths, keys, {
    sealedFrom: source.directory,
    ...(signal === undefined ? {} : { signal }),
  });
  // The backup still has it.
  for (const suffix of ['', '-wal']) await shredWhole(paths.keptDatabase + suffix);
  return { ...(await openParts(paths, keys)), isRebuilt: true, findings: findingsOf(source, rebuilt) };
}

async function pagesOf(source: VaultPaths, paths: VaultPaths, keys: VaultKeys): Promise<PageState> {
  try {
    return await readPages(paths, keys);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'WRONG_KEY') throw error;
    throw new VaultError('DAMAGED', `nothing of ${source.database} can be read with the key of the backup`, {
      cause: error,
      hint: 'it is damaged, or of another vault: restore an older backup, or make a new one from the vault',
    });
  }
}

/** The damage is the backup's; what was made of it is whole. */
function findingsOf({ database }: VaultPaths, { damagedPages, withNewNames }: RebuildSummary): Finding[] {
  const pages = `${String(damagedPages.length)} ${damagedPages.length === 1 ? 'page' : 'pages'}`;
  const numbers = `${damagedPages.slice(0, 20).join(', ')}${damagedPages.length > 20 ? ', …' : ''}`;
  const what =
    damagedPages.length === 0
      ? `the log of ${database} is damaged`
      : `${pages} of ${database} cannot be read (${numbers})`;
  const message = `${what}; everything else was restored`;
  const finding = toFinding('PAGE_DAMAGED', { item: database, message });
  const named = withNewNames.map(({ id, folder, name, path }) =>
    toFinding('ROW_DAMAGED', {
      item: path,
      message: `the name of this file was lost; it is called ${path} now`,
      file: { id, folder, name },
    }),
  );
  return [finding, ...named].map((each) => ({ ...each, ...OF_BACKUP }));
}

const OF_BACKUP: Pick<Finding, 'cost' | 'remedy' | 'mend'> = {
  cost: 'names, tags and small files that were on damaged pages of the backup, and on no other',
  remedy: 'look for what is missing in an older backup',
  mend: RESTORE,
};

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
