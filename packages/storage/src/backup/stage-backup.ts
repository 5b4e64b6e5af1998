import type { CofferDatabase, FileId, FileRow } from '@coffer/database';
import { lstat } from 'node:fs/promises';
import { throwIfAborted, toStorageError } from '../errors.ts';
import type { StorageError } from '../errors.ts';
import { SealedFolder } from '../sealed-folder.ts';
import type { StorageContext } from '../storage-context.ts';
import { SealedCopies } from './sealed-copies.ts';
import type { Secured } from './sealed-copies.ts';
import { StagedCopies } from './staged-copies.ts';
import { Staging } from './staging.ts';

export interface StageOptions {
  /** The folder of the backup. What its `files/` has is not copied again, and nothing in it is changed. */
  readonly destination: string;
  /** The folder that gets what the next backup needs; what an interrupted run left in it is used. */
  readonly staging: string;
  /** Say what would be done, and write nothing. */
  readonly dryRun?: boolean;
  /** Read and authenticate each sealed file of the backup, and copy again what is damaged there. */
  readonly verify?: boolean;
  readonly signal?: AbortSignal;
  /** Called when a file is begun, with the bytes of it that are done, and when it is done. */
  readonly watch?: StageWatch;
}

export interface StageWatch {
  readonly begin: (file: FileRow) => void;
  readonly advance: (bytesDone: number) => void;
  readonly end: (file: FileRow) => void;
}

export type StageEvent =
  /** The backup did not have this sealed file. */
  | { readonly type: 'copied'; readonly file: FileRow }
  /** The backup has this file, and gets its new header. */
  | { readonly type: 'header'; readonly file: FileRow }
  /** The backup has a sealed file that is not in the vault any more. */
  | { readonly type: 'removed'; readonly id: FileId; readonly sizeBytes: number }
  /** The storage's own file is damaged or lost; `has` is what the backup has of it. */
  | {
      readonly type: 'failed';
      readonly file: FileRow;
      readonly has: Extract<Secured, { kind: 'failed' }>['has'];
      readonly error: StorageError;
    };

export interface StageTotals {
  /** All files of the vault in that moment, those in the database included. */
  readonly files: number;
  readonly sizeBytes: number;
  /** Sealed files that the backup has as they are. */
  readonly unchangedFiles: number;
  readonly unchangedBytes: number;
}

/** What a stage needs of its storage. */
export interface StagePort {
  readonly context: StorageContext;
  readonly databaseKey: () => Uint8Array;
  /** Runs work that closing the storage cancels and waits for. */
  readonly run: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/**
 * Brings together everything that turns the backup in `destination` into one of the storage as it is when this begins. Files may be
 * saved, moved and deleted meanwhile: the database is copied as it is in one moment, and a deletion waits until the backup has its copy of that file. The staging folder is
 * durable when the generator returns; `applyBackup` then takes it over. Throws `IN_USE` (a backup is running), `NO_SPACE`, `NOT_PERMITTED`, `ABORTED`.
 */
export async function* stageBackup(
  port: StagePort,
  options: StageOptions,
): AsyncGenerator<StageEvent, StageTotals, undefined> {
  try {
    return yield* options.dryRun === true ? plan(port, options) : stage(port, options);
  } catch (error) {
    throw toStorageError(error, `cannot make a backup in ${options.destination}`);
  }
}

async function* stage(
  port: StagePort,
  options: StageOptions,
): AsyncGenerator<StageEvent, StageTotals, undefined> {
  const { context, databaseKey } = port;
  const kept = new SealedFolder(options.destination);
  await using staging = await Staging.prepare(options.staging);
  const copies = new StagedCopies(port, options, new SealedCopies(context, kept, staging.folder), staging);
  // First, so that whatever is deleted after the moment of the copy comes through the gate.
  using hold = context.shredGate.hold((row) => copies.secureDeleted(row));
  try {
    await copies.afterDatabase((signal) => staging.copyDatabase(context.database, databaseKey, signal));
    const totals = { unchangedFiles: 0, unchangedBytes: 0 };
    for (const file of staging.database.files.iterate({ placement: 'sealed' })) {
      options.watch?.begin(file);
      const secured = await copies.secure(file);
      options.watch?.end(file);
      count(totals, file, secured);
      const event = eventOf(file, secured);
      if (event !== undefined) yield event;
    }
    for await (const event of removals(kept, staging.database, options.signal)) {
      await staging.addRemoved(event.id);
      yield event;
    }
    // From here on deletions need not wait: everything is copied.
    hold[Symbol.dispose]();
    await copies.settled();
    await staging.finish();
    return { ...totals, ...staging.totals };
  } finally {
    hold[Symbol.dispose]();
    await copies.settled().catch(() => undefined);
  }
}

async function* plan(
  { context }: StagePort,
  options: StageOptions,
): AsyncGenerator<StageEvent, StageTotals, undefined> {
  const kept = new SealedFolder(options.destination);
  const copies = new SealedCopies(context, kept, new SealedFolder(options.staging));
  const { files } = context.database;
  const totals = { unchangedFiles: 0, unchangedBytes: 0 };
  const secureOptions = { dryRun: true, verify: false, signal: options.signal, onProgress: () => undefined };
  for (const file of files.iterate({ placement: 'sealed' })) {
    throwIfAborted(options.signal, 'cannot make a backup');
    const secured = await copies.secure(file, secureOptions);
    count(totals, file, secured);
    const event = eventOf(file, secured);
    if (event !== undefined) yield event;
  }
  yield* removals(kept, context.database, options.signal);
  return { ...totals, files: files.count(), sizeBytes: files.totalSizeBytes() };
}

async function* removals(
  kept: SealedFolder,
  database: CofferDatabase,
  signal: AbortSignal | undefined,
): AsyncGenerator<Extract<StageEvent, { type: 'removed' }>> {
  for (const name of await kept.names()) {
    throwIfAborted(signal, 'cannot make a backup');
    const parsed = kept.parseName(name);
    if (parsed.kind !== 'sealed' || database.files.find(parsed.id)?.placement === 'sealed') continue;
    const { size } = await lstat(kept.sealedPath(parsed.id));
    yield { type: 'removed', id: parsed.id, sizeBytes: size };
  }
}

function count(
  totals: { unchangedFiles: number; unchangedBytes: number },
  file: FileRow,
  { kind }: Secured,
): void {
  if (kind !== 'unchanged') return;
  totals.unchangedFiles++;
  totals.unchangedBytes += file.sizeBytes;
}

function eventOf(file: FileRow, secured: Secured): StageEvent | undefined {
  switch (secured.kind) {
    case 'unchanged':
      return undefined;
    case 'failed':
      return { type: 'failed', file, has: secured.has, error: secured.error };
    default:
      return { type: secured.kind, file };
  }
}
