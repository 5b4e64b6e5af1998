import { DatabaseError } from '@coffer/database';
import type { CofferDatabase, FileId } from '@coffer/database';
import type { FileTurns } from './file-turns.ts';
import type { SegmentPool } from './pool/segment-pool.ts';
import type { SealedFolder } from './sealed-folder.ts';
import type { ShredGate } from './shred-gate.ts';
import type { StorageKeys } from './storage-keys.ts';

/** From this size on a file is sealed on its own instead of being a BLOB in the database. */
export const DEFAULT_THRESHOLD_BYTES = 102_400;

/** A BLOB is held in memory whole, so the threshold is bounded. */
export const MAX_THRESHOLD_BYTES: number = 16 * 1024 * 1024;

/** Below it, handing segments to other threads costs more than it saves. */
export const DEFAULT_PARALLEL_FROM_BYTES: number = 16 * 1024 * 1024;

/** What the parts of a storage share. */
export interface StorageContext {
  readonly database: CofferDatabase;
  readonly folder: SealedFolder;
  readonly keys: StorageKeys;
  readonly thresholdBytes: number;
  readonly nowMs: () => number;
  readonly pool: SegmentPool;
  /** From this size on a file is sealed and opened by the pool's threads. */
  readonly parallelFromBytes: number;
  /** Files with something in the `files/` folder that is not finished or undone yet. */
  readonly unsettled: Set<FileId>;
  /** Passed before a sealed file is destroyed. */
  readonly shredGate: ShredGate;
  readonly turns: FileTurns;
}

/** Set while a crash may leave something to finish or undo in the `files/` folder. */
export const UNCLEAN = 'storage/unclean';

/** Says that rows were deleted to be shredded, and the database is not cleared of them yet. */
export const SHREDDING = 'storage/shredding';

/**
 * Says, durably and before the first change to the `files/` folder, that a crash from here on may leave something to
 * finish or undo there. Opening a vault looks through the folder only then, so it stays quick with 100,000 files.
 */
export function markUnclean({ database }: StorageContext): void {
  if (database.settings.get(UNCLEAN) === undefined) database.settings.set(UNCLEAN, '1');
}

/** Takes that back, once nothing is left to finish or undo. */
export function markClean({ database, unsettled }: StorageContext): void {
  if (unsettled.size > 0) return;
  ifDatabaseAllows(() => {
    if (database.tombstones.list().length > 0) return;
    if (database.settings.get(UNCLEAN) !== undefined) database.settings.remove(UNCLEAN);
  });
}

/** For what can as well be written the next time: a full disk must not keep a vault from being opened or closed. */
export function ifSpaceAllows(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'NO_SPACE') throw error;
  }
}

/** The same for a database with damaged pages, too: what they hold is lost, and nothing else may be refused for it. `check` names them. */
export function ifDatabaseAllows(work: () => void): void {
  ifSpaceAllows(() => {
    try {
      work();
    } catch (error) {
      if (!isCorrupt(error)) throw error;
    }
  });
}

export function isCorrupt(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'CORRUPT';
}

/** `false`, too, when the page that says it is damaged: such a database decides about no file. */
export function isUnclean({ database }: StorageContext): boolean {
  let unclean = false;
  ifDatabaseAllows(() => {
    unclean = database.settings.get(UNCLEAN) !== undefined;
  });
  return unclean;
}
