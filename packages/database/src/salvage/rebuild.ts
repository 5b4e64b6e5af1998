import { existsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beginFile } from '../build-file.ts';
import { integerOf, textOf } from '../columns.ts';
import { firstValue } from '../connection.ts';
import type { Connection } from '../connection.ts';
import { checkRuntime } from '../driver.ts';
import { checkEncryptedFile } from '../encrypted-file.ts';
import { DatabaseError, corrupt } from '../errors.ts';
import { openKeyedConnection } from '../keyed-connection.ts';
import { MIGRATIONS } from '../migrations/migrations.ts';
import { migrate } from '../migrate.ts';
import { checkNotHeld } from '../open-files.ts';
import { SettingTable } from '../setting-table.ts';
import { SpaceReserve } from '../space-reserve.ts';
import type { FileName } from '../survey-files.ts';
import { toDatabaseError } from '../translate-error.ts';
import { addFilesOfIndex, addNamelessBlobs, dropDangling, markWithoutBytes } from './complete-rows.ts';
import type { Completing } from './complete-rows.ts';
import { DamagedFile } from './damaged-file.ts';
import { gatherRows } from './gather-rows.ts';
import { checkNothingKept, putRebuiltInPlace, rebuiltPath } from './put-in-place.ts';

export interface RebuildOptions extends Completing {
  readonly path: string;
  /** 32 bytes. The caller keeps it and zeroes it. */
  readonly key: Uint8Array;
  /** Writes what has to be said in the new database before it is one; `commitCount` is `undefined` when the damaged one could not say it. */
  readonly finish: (settings: SettingTable, found: { readonly commitCount: number | undefined }) => void;
  readonly signal?: AbortSignal;
  /** Pages of the damaged database. */
  readonly onProgress?: (progress: { readonly pagesDone: number; readonly pageCount: number }) => void;
}

export interface RebuiltDatabase {
  /** In the new database. */
  readonly files: number;
  readonly pageCount: number;
  /** Numbers, from 1. */
  readonly damagedPages: readonly number[];
  /** They are in the list, as damaged: their bytes, or some of them, are lost. */
  readonly withoutBytes: readonly FileName[];
  /** Their bytes are there, and they have new names. */
  readonly withNewNames: readonly FileName[];
}

/**
 * Makes a new database of everything that can be read of a damaged one, also where SQLite opens nothing any more, and puts it in its place. The damaged one, with its log, is kept
 * beside it as `{path}.damaged`. Where there is no database at all, the new one is empty. Nobody may have it open, and the caller keeps others from doing so. A crash leaves the
 * damaged database in its place, or what `putRebuiltInPlace` finishes.
 *
 * Throws `WRONG_KEY` (no page opens with this key), `EXISTS` (a damaged one is kept already), `SCHEMA_TOO_NEW`, `NO_SPACE`, `NOT_PERMITTED`, `IN_USE`, or the signal's reason.
 */
export async function rebuildDatabase(options: RebuildOptions): Promise<RebuiltDatabase> {
  const { path } = options;
  checkRuntime();
  checkNotHeld(path);
  checkNothingKept(path);
  try {
    using damaged = existsSync(path) ? DamagedFile.open(path, options.key) : undefined;
    refuseNewerSchema(damaged);
    const making = beginFile(rebuiltPath(path));
    let rebuilt;
    let salt;
    try {
      rebuilt = await fill(making.temporaryPath, damaged, options);
      salt = checkEncryptedFile(making.temporaryPath);
      options.signal?.throwIfAborted();
      making.commit();
    } catch (error) {
      making.discard();
      throw error;
    }
    putRebuiltInPlace(path);
    new SpaceReserve(path, salt).keep();
    return rebuilt;
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw toDatabaseError(error, `cannot rebuild ${path}`);
  }
}

function refuseNewerSchema(damaged: DamagedFile | undefined): void {
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  const version = damaged?.header?.schemaVersion ?? newest;
  if (version <= newest) return;
  throw new DatabaseError(
    'SCHEMA_TOO_NEW',
    `the database has schema ${String(version)} and this program knows ${String(newest)} at most: use a newer version of it`,
  );
}

async function fill(
  path: string,
  damaged: DamagedFile | undefined,
  options: RebuildOptions,
): Promise<RebuiltDatabase> {
  const connection = openKeyedConnection(path, options.key);
  try {
    migrate(connection);
    // It is synced as a whole, before it has its name, and thrown away when anything goes wrong.
    connection.pragma('synchronous = OFF');
    // Rows come in the order of pages; what refers to nothing is dropped at the end.
    connection.pragma('foreign_keys = OFF');
    const found = damaged === undefined ? NOTHING_FOUND : await fillFrom(connection, damaged, options);
    const commitCount = damaged?.header?.commitCount;
    connection.transaction(() => {
      dropDangling(connection);
      connection.exec(`PRAGMA application_id = ${String(commitCount ?? 0)}`);
      options.finish(new SettingTable(connection), { commitCount });
    });
    connection.pragma('wal_checkpoint(TRUNCATE)');
    checkWhole(connection);
    const files = integerOf(firstValue(connection.all('SELECT count(*) FROM files')), 'count');
    return { files, ...found };
  } finally {
    connection.close();
  }
}

type Found = Omit<RebuiltDatabase, 'files'>;

const NOTHING_FOUND: Found = {
  pageCount: 0,
  damagedPages: [],
  withoutBytes: [],
  withNewNames: [],
};

async function fillFrom(
  connection: Connection,
  damaged: DamagedFile,
  options: RebuildOptions,
): Promise<Found> {
  const { signal, onProgress } = options;
  const { pageCount } = damaged;
  const damagedPages = new Set<number>(damaged.isSaltDamaged ? [1] : []);
  for (const { pagesDone, unreadable } of gatherRows(connection, damaged)) {
    for (const number of unreadable) damagedPages.add(number);
    onProgress?.({ pagesDone, pageCount });
    await nextTurn();
    signal?.throwIfAborted();
  }
  const unproven = await addFilesOfIndex(connection, damaged, options, signal);
  const withNewNames = await addNamelessBlobs(connection, options, signal);
  const withoutBytes = [...unproven, ...markWithoutBytes(connection)];
  return { pageCount, damagedPages: [...damagedPages], withoutBytes, withNewNames };
}

function checkWhole(connection: Connection): void {
  const wrong = textOf(firstValue(connection.all('PRAGMA quick_check(1)')), 'quick_check');
  if (wrong !== 'ok' || connection.all('PRAGMA foreign_key_check').length > 0)
    throw corrupt(`the new database is not whole: ${wrong}`);
}
