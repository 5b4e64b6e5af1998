import type { CofferDatabase } from '@coffer/database';
import { lstatSync } from 'node:fs';
import { listReadable } from './files/readable-rows.ts';
import type { ReadOnlyReason } from './read-only.ts';
import type { RollbackState } from './rollback/rollback-guard.ts';
import { rotationState } from './rotate/rotate-vault.ts';
import type { RotationState } from './rotate/rotate-vault.ts';
import type { VaultParts } from './vault.ts';

/** Of the files that are known to be damaged: a vault that has lost its folder has many. */
const MAX_LOOKED_AT = 1000;

export interface VaultStatus {
  readonly vaultId: string;
  readonly directory: string;
  /** Of `vault.json`. */
  readonly formatVersion: number;
  /** Of the database. */
  readonly schemaVersion: number;
  readonly files: number;
  /** Of all files' content. */
  readonly sizeBytes: number;
  readonly blobFiles: number;
  readonly sealedFiles: number;
  /** Of the content of sealed files. */
  readonly sealedSizeBytes: number;
  readonly damagedFiles: number;
  /** When the first of them was noticed; `undefined` where there is none, or it is not known. */
  readonly damagedSinceMs: number | undefined;
  /** Of `data.db` and its log on disk. */
  readonly databaseSizeBytes: number;
  /** How many key slots there are. */
  readonly slots: number;
  /**
   * What this machine's keychain says of older copies that are put back: `none` (it remembers nothing of this vault), `kept`, `unknown` (it did not
   * answer), `behind` (this is one).
   */
  readonly rollback: RollbackState;
  /** When the backup was made that this is; `undefined` for a vault that is no backup. */
  readonly backupMadeAtMs: number | undefined;
  /** Why nothing can be written to it; `undefined` when it can be changed, as far as its folder goes. */
  readonly readOnly: ReadOnlyReason | undefined;
  /** How often the root key has been replaced, plus one. */
  readonly keyEpoch: number;
  /** What an interrupted rotation of the root key still has to do, and then what follows it. */
  readonly rotation: RotationState;
}

export function vaultStatus(parts: VaultParts): VaultStatus {
  const { paths, database, slots, keys, guard, backup, readOnly } = parts;
  const { files } = database;
  return {
    vaultId: slots.vaultId,
    directory: paths.directory,
    formatVersion: slots.formatVersion,
    schemaVersion: database.schemaVersion,
    files: files.count(),
    sizeBytes: files.totalSizeBytes(),
    blobFiles: files.count({ placement: 'blob' }),
    sealedFiles: files.count({ placement: 'sealed' }),
    sealedSizeBytes: files.totalSizeBytes({ placement: 'sealed' }),
    damagedFiles: files.count() - files.count({ condition: 'ok' }),
    damagedSinceMs: firstDamageMs(database),
    // Asked of the folder, not of the open file: closing a descriptor of it would drop the process's locks.
    databaseSizeBytes: sizeOf(paths.database) + sizeOf(`${paths.database}-wal`),
    slots: slots.list().length,
    rollback: guard.state,
    backupMadeAtMs: backup?.madeAtMs,
    readOnly,
    keyEpoch: keys.storage.currentEpoch,
    rotation: rotationState(parts),
  };
}

function firstDamageMs(database: CofferDatabase): number | undefined {
  const times = (['missing', 'damaged'] as const)
    .flatMap((condition) => listReadable(database, { condition, limit: MAX_LOOKED_AT }).files)
    .flatMap(({ damagedSinceMs }) => damagedSinceMs ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

function sizeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
