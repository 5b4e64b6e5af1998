import { DatabaseError, acquireOwnerLock, inspectPages, putRebuiltInPlace } from '@coffer/database';
import type { PageState } from '@coffer/database';
import { rebuildStorage } from '@coffer/storage';
import { existsSync, statSync } from 'node:fs';
import { finishCommit } from '../backup/commit.ts';
import { BulkMeter } from '../files/bulk-progress.ts';
import type { BulkProgress } from '../files/bulk-progress.ts';
import { joinPath } from '../files/file-entry.ts';
import { readVaultSlots } from '../open-vault.ts';
import type { OpenVaultOptions } from '../open-vault.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultPaths } from '../paths.ts';
import { checkChangeable } from '../read-only.ts';
import { forgetInstance } from '../rollback/instance.ts';
import { takeKeys } from '../rotate/vault-keys.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';
import { toVaultError } from '../to-vault-error.ts';
import { readVaultFile } from '../vault-file/read.ts';
import { unlockVaultFile } from '../vault-file/unlock.ts';

export interface RebuildVaultOptions extends OpenVaultOptions {
  readonly nowMs?: () => number;
  /** The bytes of the damaged database, as one file. */
  readonly onProgress?: (progress: BulkProgress) => void;
}

/** A file that rebuilding could not keep as it was. */
export interface RebuiltFile {
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly path: string;
}

export interface RebuildSummary {
  /** `false` when nothing is wrong with the database: nothing was done then. */
  readonly isRebuilt: boolean;
  readonly files: number;
  readonly pageCount: number;
  readonly damagedPages: readonly number[];
  /** Where the damaged database is now; `undefined` when there was none. */
  readonly keptPath: string | undefined;
  /** They keep their names, and their content, or a part of it, is lost. */
  readonly withoutContent: readonly RebuiltFile[];
  /** Their names are lost, and they have new ones. */
  readonly withNewNames: readonly RebuiltFile[];
}

/**
 * Makes a new database of everything that can be read of a damaged one, also of one that does not open, and puts it in its place; of one that is missing, an empty one. The damaged one is kept beside it as `data.db.damaged`.
 * No other file of the vault is touched; sealed files that the new database does not know go to `quarantine/` at the next opening. A crash leaves the vault as it was, or rebuilt. Throws `NO_VAULT`, `IN_USE`,
 * `WRONG_KEY`, `EXISTS` (a damaged database is kept already), `DAMAGED` (nothing of it can be read), `TOO_NEW`, `NO_SPACE`, `NOT_PERMITTED` (also for a backup), `ABORTED`.
 */
export async function rebuildVault(options: RebuildVaultOptions): Promise<RebuildSummary> {
  const paths = vaultPaths(options.directory);
  try {
    await readVaultSlots(options.directory);
    await checkChangeable(options.directory);
    await using resources = new AsyncDisposableStack();
    resources.use(acquireOwnerLock(paths.ownerLock));
    await finishCommit(paths.directory);
    putRebuiltInPlace(paths.database);
    const unlocked = await unlockVaultFile(await readVaultFile(paths), options.secret, options);
    const keys = resources.use(takeKeys(unlocked));
    return (await soundDatabase(paths, keys, options)) ?? (await rebuildDatabase(paths, keys, options));
  } catch (error) {
    throw toVaultError(error);
  }
}

/** `undefined` when something is wrong with it. */
async function soundDatabase(
  paths: VaultPaths,
  keys: VaultKeys,
  { signal }: RebuildVaultOptions,
): Promise<RebuildSummary | undefined> {
  if (!existsSync(paths.database)) return undefined;
  try {
    // Before SQLite opens it, which forgets the log of what it does not open.
    const pages = await readPages(paths, keys);
    if (isDamaged(pages)) return undefined;
    using database = keys.openDatabase(paths.database);
    if (database.integrityCheck().length > 0) return undefined;
    signal?.throwIfAborted();
    const { pageCount } = pages;
    return { isRebuilt: false, files: database.files.count(), pageCount, keptPath: undefined, ...NOTHING };
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

const NOTHING = { damagedPages: [], withoutContent: [], withNewNames: [] } as const;

/** Of the database and its log, whichever of the keys it is under. Throws `DatabaseError` `WRONG_KEY` when nothing of it opens. */
export async function readPages({ database }: VaultPaths, keys: VaultKeys): Promise<PageState> {
  return await keys.withEachDatabaseKey((key) => inspectPages(database, key));
}

export function isDamaged({ damagedPages, logProblem }: PageState): boolean {
  return damagedPages.length > 0 || logProblem !== undefined;
}

function isDamage(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    ['WRONG_KEY', 'CORRUPT', 'NOT_A_DATABASE', 'PLAINTEXT'].includes(error.code)
  );
}

interface RebuildDatabaseOptions extends Pick<RebuildVaultOptions, 'signal' | 'nowMs' | 'onProgress'> {
  /** The folder of a backup: the sealed files are still there, and will be copied. */
  readonly sealedFrom?: string;
}

/** The same where the keys are there already, and whoever has the owner's lock knows that it is needed. */
export async function rebuildDatabase(
  paths: VaultPaths,
  keys: VaultKeys,
  { signal, nowMs, onProgress, sealedFrom }: RebuildDatabaseOptions,
): Promise<RebuildSummary> {
  const hadDatabase = existsSync(paths.database);
  const sizeBytes = hadDatabase ? statSync(paths.database).size : 0;
  const meter = new BulkMeter(onProgress, { files: 1, bytes: sizeBytes });
  const rebuilt = await keys.withEachDatabaseKey((key) =>
    rebuildStorage({
      directory: sealedFrom ?? paths.directory,
      recovers: sealedFrom === undefined,
      path: paths.database,
      key,
      keys: keys.storage,
      signal,
      finish: (settings, { commitCount }) => {
        // What a keychain remembers of this database could not be held against it.
        if (commitCount === undefined) forgetInstance(settings);
      },
      ...(nowMs === undefined ? {} : { nowMs }),
      onProgress: ({ pagesDone, pageCount }) => {
        meter.advance(Math.floor((sizeBytes * pagesDone) / pageCount));
      },
    }),
  );
  meter.end(sizeBytes);
  meter.finish();
  const { files, pageCount, damagedPages } = rebuilt;
  return {
    isRebuilt: true,
    files,
    pageCount,
    damagedPages,
    keptPath: hadDatabase ? paths.keptDatabase : undefined,
    withoutContent: rebuilt.withoutBytes.map(toFile),
    withNewNames: rebuilt.withNewNames.map(toFile),
  };
}

function toFile({
  id,
  folder,
  name,
}: {
  readonly id: string;
  readonly folder: string;
  readonly name: string;
}): RebuiltFile {
  return { id, folder, name, path: joinPath(folder, name) };
}
