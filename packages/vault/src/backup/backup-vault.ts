import { bytesToHex, randomBytes } from '@coffer/crypto';
import { acquireReaderLock } from '@coffer/database';
import type { CofferDatabase, FileRow } from '@coffer/database';
import type { FileStorage, StageEvent, StageTotals, StageWatch } from '@coffer/storage';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createDurableFile } from '../durable-file.ts';
import { BulkMeter } from '../files/bulk-progress.ts';
import type { BulkProgress } from '../files/bulk-progress.ts';
import { toFileEntry } from '../files/file-entry.ts';
import type { FileEntry } from '../files/file-entry.ts';
import type { VaultError } from '../errors.ts';
import type { LongWork } from '../long-work.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';
import type { KeySlots } from '../slots/key-slots.ts';
import { toVaultError } from '../to-vault-error.ts';
import { commitBackup, nextBackupPath } from './commit.ts';
import { damagedSource, isOfDatabase } from './damaged-source.ts';
import { BackupDestination } from './destination.ts';
import { isNoted, noteBackup, refuseForeignBackup } from './lineage.ts';
import { newMarker, writeBackupMarker } from './marker.ts';
import type { BackupMarker } from './marker.ts';

/** Sealed files, and their bytes, that a backup treated alike. */
interface Counted {
  readonly files: number;
  readonly bytes: number;
}

export interface BackupSummary {
  readonly destination: string;
  readonly dryRun: boolean;
  /** All files that the backup has, those in the database included, and the bytes of their content. */
  readonly files: number;
  readonly sizeBytes: number;
  /** Files below are sealed ones: the database, with the small files in it, is copied whole. */
  readonly copied: Counted;
  /** Files that only got a new header. */
  readonly updated: Counted;
  readonly unchanged: Counted;
  /** Files that are not in the vault any more. */
  readonly removed: Counted;
  /** Files whose sealed file in the vault is damaged or lost. */
  readonly failed: number;
}

export type BackupEvent =
  | { readonly type: 'copied' | 'updated'; readonly file: FileEntry }
  | { readonly type: 'removed'; readonly id: string; readonly sizeBytes: number }
  /** The vault's own file is damaged or lost; `has` is what the backup has of it. */
  | {
      readonly type: 'failed';
      readonly file: FileEntry;
      readonly has: 'earlier copy' | 'damaged copy' | 'nothing';
      readonly error: VaultError;
    }
  | ({ readonly type: 'summary' } & BackupSummary);

export interface BackupOptions {
  /** Say what would be done, and write nothing. */
  readonly dryRun?: boolean;
  /** Read and authenticate every sealed file of the backup, also those it had before, and copy again what is damaged there. */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BulkProgress) => void;
}

interface BackupContext {
  readonly directory: string;
  readonly database: CofferDatabase;
  readonly storage: FileStorage;
  readonly keys: VaultKeys;
  readonly slots: KeySlots;
  readonly longWork: LongWork;
  readonly nowMs?: () => number;
}

/**
 * Makes `path` a backup of the vault as it is at the beginning, or brings the backup that is there up to it, and ends with a summary. See `Vault.backup`.
 */
export async function* backUpVault(
  context: BackupContext,
  path: string,
  options: BackupOptions,
): AsyncGenerator<BackupEvent, void, undefined> {
  try {
    yield* options.dryRun === true ? plan(context, path, options) : backUp(context, path, options);
  } catch (error) {
    throw isOfDatabase(error) ? await damagedSource(context, path, error) : toVaultError(error);
  }
}

async function* backUp(
  context: BackupContext,
  path: string,
  options: BackupOptions,
): AsyncGenerator<BackupEvent, void, undefined> {
  const { database, slots, longWork, nowMs = Date.now } = context;
  using work = new DisposableStack();
  work.use(longWork.begin('a backup'));
  using destination = await BackupDestination.take(path, {
    directory: context.directory,
    vaultId: slots.vaultId,
  });
  const { directory, marker } = destination;
  await refuseForeignBackup(context, marker, directory);
  const backupId = bytesToHex(randomBytes(16));
  const madeAtMs = nowMs();
  noteBackup(database, marker, backupId);
  const staging = nextBackupPath(directory);
  const vaultFile = join(staging, 'vault.json');
  await rm(vaultFile, { force: true });
  const summary = yield* stage(context, directory, options);
  // Taken last, so that a slot that was removed meanwhile does not open the backup.
  await createDurableFile(vaultFile, slots.fileBytes);
  await writeBackupMarker(staging, newMarker(marker.vaultId, marker.destinationId, { backupId, madeAtMs }));
  options.signal?.throwIfAborted();
  await commitBackup(directory);
  yield summary;
}

async function* plan(
  context: BackupContext,
  path: string,
  options: BackupOptions,
): AsyncGenerator<BackupEvent, void, undefined> {
  const { directory, slots } = context;
  const marker: BackupMarker | undefined = await BackupDestination.look(path, {
    directory,
    vaultId: slots.vaultId,
  });
  if (marker !== undefined && !isNoted(context.database, marker)) {
    // A run would have the lock.
    using reading = acquireReaderLock(vaultPaths(path).ownerLock);
    await refuseForeignBackup(context, marker, path);
    reading.release();
  }
  yield yield* stage(context, resolve(path), options);
}

/** Runs the stage, translates its events, and returns the summary. */
async function* stage(
  { database, storage }: BackupContext,
  destination: string,
  { dryRun = false, verify = false, signal, onProgress }: BackupOptions,
): AsyncGenerator<BackupEvent, BackupEvent, undefined> {
  const files = database.files.count({ placement: 'sealed' });
  const bytes = database.files.totalSizeBytes({ placement: 'sealed' });
  const meter = new BulkMeter(onProgress, { files, bytes });
  const counter = new Counter();
  const stages = storage.stageBackup({
    destination,
    staging: nextBackupPath(destination),
    dryRun,
    verify,
    watch: watchWith(meter),
    ...(signal === undefined ? {} : { signal }),
  });
  for (;;) {
    const next = await stages.next();
    if (next.done === true) {
      meter.finish();
      return { type: 'summary', destination, dryRun, ...counter.summary(next.value) };
    }
    counter.add(next.value);
    yield toEvent(database, next.value);
  }
}

function watchWith(meter: BulkMeter): StageWatch {
  return {
    begin: ({ name }) => {
      meter.begin(name);
    },
    advance: (bytesDone) => {
      meter.advance(bytesDone);
    },
    end: ({ sizeBytes }) => {
      meter.end(sizeBytes);
    },
  };
}

function toEvent(database: CofferDatabase, event: StageEvent): BackupEvent {
  switch (event.type) {
    case 'removed':
      return event;
    case 'failed':
      return {
        type: 'failed',
        file: entryOf(database, event.file),
        has: event.has,
        error: toVaultError(event.error),
      };
    case 'copied':
      return { type: 'copied', file: entryOf(database, event.file) };
    case 'header':
      return { type: 'updated', file: entryOf(database, event.file) };
  }
}

function entryOf(database: CofferDatabase, row: FileRow): FileEntry {
  return toFileEntry(row, database.tags.of(row.id));
}

class Counter {
  readonly #counts = {
    copied: { files: 0, bytes: 0 },
    updated: { files: 0, bytes: 0 },
    removed: { files: 0, bytes: 0 },
  };
  #failed = 0;

  add(event: StageEvent): void {
    if (event.type === 'failed') {
      this.#failed++;
      return;
    }
    const counted = this.#counts[event.type === 'header' ? 'updated' : event.type];
    counted.files++;
    counted.bytes += event.type === 'removed' ? event.sizeBytes : event.file.sizeBytes;
  }

  summary(totals: StageTotals): Omit<BackupSummary, 'destination' | 'dryRun'> {
    const { files, sizeBytes, unchangedFiles, unchangedBytes } = totals;
    const unchanged = { files: unchangedFiles, bytes: unchangedBytes };
    return { files, sizeBytes, ...this.#counts, unchanged, failed: this.#failed };
  }
}
