import { DatabaseError, copyForReading, openDatabase } from '@coffer/database';
import type { CofferDatabase, FileRow, SettingTable } from '@coffer/database';
import { joinPath } from '../files/file-entry.ts';
import { vaultPaths } from '../paths.ts';
import { Instance } from '../rollback/instance.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';

/*
 * A vault that can only be read can't note its backups, so that the next run from it, or from what comes after it, does not know them. Such a backup says of itself
 * that it was not noted, and is known by what it holds.
 */
const UNNOTED = 'backup/unnoted';

/** Says in the database of a backup that it was noted in that alone. */
export function markUnnoted(settings: SettingTable, backupId: string): void {
  settings.set(UNNOTED, backupId);
}

/** What keeps a vault from replacing a backup that it did not note: `later`, it is of a later state, or of a vault that noted its own. */
export type Hindrance = { readonly kind: 'later' } | { readonly kind: 'missing'; readonly path: string };

/**
 * Whether nothing would be lost if a backup of this vault takes the place of the one in `destination`: `undefined` when that was made from a vault that could only be read, of a state that
 * this one has come from. It is if it has as many commits of the same instance at most, and this vault still has the file that was added to it last: whatever else it holds was added
 * before, so this vault had it, and has removed what it has no more.
 *
 * Throws what copying and opening its database throws, unless that is damaged or not this vault's.
 */
export async function findHindrance(
  { database, keys }: { readonly database: CofferDatabase; readonly keys: VaultKeys },
  destination: string,
  backupId: string,
): Promise<Hindrance | undefined> {
  const held = await lookInto(keys, destination);
  const isEarlier =
    held?.unnotedId === backupId &&
    held.instanceId === new Instance(database).id &&
    held.commitCount <= database.commitCount;
  if (!isEarlier) return { kind: 'later' };
  const { newest } = held;
  // A file that was adopted from the quarantine has its id again, and a time of its own.
  if (newest === undefined || database.files.find(newest.id)?.createdAtMs === newest.createdAtMs)
    return undefined;
  return { kind: 'missing', path: joinPath(newest.folder, newest.name) };
}

interface Held {
  readonly unnotedId: string | undefined;
  readonly instanceId: string | undefined;
  readonly commitCount: number;
  readonly newest: FileRow | undefined;
}

/** In a copy: opening writes beside a database, and a dry run writes nothing. `undefined` for what is damaged, or under another key. */
async function lookInto(keys: VaultKeys, destination: string): Promise<Held | undefined> {
  const { database: path } = vaultPaths(destination);
  try {
    using copy = await copyForReading(path);
    return await keys.withEachDatabaseKey((key) => {
      using database = openDatabase({ path: copy.path, key, label: path, keepsReserve: false });
      const { settings, files, commitCount } = database;
      const held = { unnotedId: settings.get(UNNOTED), instanceId: new Instance(database).id };
      return Promise.resolve({ ...held, commitCount, newest: files.findNewest() });
    });
  } catch (error) {
    if (error instanceof DatabaseError && UNREADABLE.has(error.code)) return undefined;
    throw error;
  }
}

const UNREADABLE: ReadonlySet<string> = new Set<DatabaseError['code']>([
  'NOT_FOUND',
  'NOT_A_DATABASE',
  'PLAINTEXT',
  'WRONG_KEY',
  'CORRUPT',
  'SCHEMA_TOO_NEW',
]);
