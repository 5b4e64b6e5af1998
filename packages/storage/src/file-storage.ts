import type { CofferDatabase, FileId, FilePage, FileQuery, FileRow } from '@coffer/database';
import { restoreFiles } from './backup/restore-files.ts';
import type { NotRestored, RestoreFilesOptions } from './backup/restore-files.ts';
import { stageBackup } from './backup/stage-backup.ts';
import type { StageEvent, StageOptions, StageTotals } from './backup/stage-backup.ts';
import { adopt } from './adopt.ts';
import type { AdoptOptions } from './adopt.ts';
import { check } from './check.ts';
import type { CheckOptions, CheckTotals, Finding } from './check.ts';
import { deleteFiles } from './delete-file.ts';
import type { DeleteOptions, DeleteResult } from './delete-file.ts';
import { StorageError, toStorageError } from './errors.ts';
import { FileTurns } from './file-turns.ts';
import type { FileSource } from './file-source.ts';
import { parseFileName, parseFolder } from './names.ts';
import { getFile, readFile } from './read-file.ts';
import type { ReadOptions } from './read-file.ts';
import { dropQuarantined, listQuarantine } from './quarantine.ts';
import type { QuarantinedFile } from './quarantine.ts';
import { recover } from './recover.ts';
import type { Recovery } from './recover.ts';
import { beginReseal, isResealUnfinished, resealAll } from './reseal.ts';
import type { ResealOptions, ResealResult } from './reseal.ts';
import { countEpochs, rewrapAll } from './rewrap.ts';
import type { EpochCount, RewrapOptions, RewrapResult } from './rewrap.ts';
import { saveFile, saveFiles } from './save-file.ts';
import type { FileToSave } from './save-file.ts';
import type { SaveOptions } from './save-options.ts';
import { finishShredding, isShredding, reclaimSpace } from './shred-rows.ts';
import type { ShredContext } from './shred-rows.ts';
import { segmentPool } from './pool/segment-pool.ts';
import { SealedFolder } from './sealed-folder.ts';
import { ShredGate } from './shred-gate.ts';
import {
  DEFAULT_PARALLEL_FROM_BYTES,
  DEFAULT_THRESHOLD_BYTES,
  MAX_THRESHOLD_BYTES,
  isUnclean,
  markClean,
} from './storage-context.ts';
import type { StorageKeys } from './storage-keys.ts';
import { writeFileTo } from './write-file-to.ts';
import type { WriteFileOptions } from './write-file-to.ts';

export interface FileStorageOptions {
  /** The folder that has `files/` in it. */
  readonly directory: string;
  /** Open, and owned by this process (see `acquireOwnerLock`). The caller closes it, after `close()`. */
  readonly database: CofferDatabase;
  /** The caller disposes them, after `close()`. */
  readonly keys: StorageKeys;
  /** A copy of the database's raw key, for scans in a child process; zeroed after use. */
  readonly databaseKey: () => Uint8Array;
  /** Files of at least this size are sealed on their own; 102,400 when not given, at most 16 MiB. */
  readonly thresholdBytes?: number;
  /** Files of at least this size are sealed and opened on several threads; 16 MiB when not given. `Infinity`: never. */
  readonly parallelFromBytes?: number;
  readonly nowMs?: () => number;
}

export interface PendingDeletions {
  /** Their sealed files could not be overwritten or removed. */
  readonly files: readonly { readonly id: FileId; readonly deletedAtMs: number }[];
  /** The database could not be cleared of what was to be shredded. */
  readonly isShredding: boolean;
}

/**
 * Files, encrypted at rest: small ones as BLOBs in the SQLCipher database, large ones sealed on disk, each with a row.
 * All methods throw `StorageError`.
 */
export class FileStorage {
  readonly #context: ShredContext;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(context: ShredContext) {
    this.#context = context;
  }

  /**
   * Opens the storage and, when the last use did not end cleanly, finishes or undoes what it left. With a database that refuses changes nothing is written: what was left is read
   * as it is.
   */
  static async open(
    options: FileStorageOptions,
  ): Promise<{ storage: FileStorage; recovery: Recovery | undefined }> {
    const { thresholdBytes = DEFAULT_THRESHOLD_BYTES, nowMs = Date.now } = options;
    const { parallelFromBytes = DEFAULT_PARALLEL_FROM_BYTES } = options;
    if (!Number.isInteger(thresholdBytes) || thresholdBytes < 0 || thresholdBytes > MAX_THRESHOLD_BYTES) {
      throw new StorageError('INVALID', 'the threshold is a number of bytes from 0 to 16 MiB');
    }
    const folder = new SealedFolder(options.directory);
    const context = {
      database: options.database,
      folder,
      keys: options.keys,
      thresholdBytes,
      nowMs,
      pool: segmentPool,
      parallelFromBytes,
      unsettled: new Set<FileId>(),
      shredGate: new ShredGate(),
      databaseKey: options.databaseKey,
      turns: new FileTurns(),
    };
    try {
      if (context.database.refusesChanges) {
        if (isUnclean(context)) await folder.findUnsettled();
        return { storage: new FileStorage(context), recovery: undefined };
      }
      await folder.create();
      const recovery = isUnclean(context) ? await recoverIfReadable(context) : undefined;
      await finishShredding(context, { isAsked: false });
      return { storage: new FileStorage(context), recovery };
    } catch (error) {
      throw toStorageError(error, `cannot open the storage in ${options.directory}`);
    }
  }

  /** Stores a file and returns once it is durable. */
  async saveFile(source: FileSource, options: SaveOptions): Promise<FileRow> {
    return this.#run((signal) => saveFile(this.#context, source, { ...options, signal }), options.signal);
  }

  /**
   * Stores several small files in one transaction; those that succeeded are durable when it returns. Results come in the order of the files.
   * Throws only what keeps all of them from being saved: then none is.
   */
  async saveFiles(
    files: readonly FileToSave[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<PromiseSettledResult<FileRow>[]> {
    return this.#run((signal) => saveFiles(this.#context, files, signal), options.signal);
  }

  /** A whole file, verified. Throws `TOO_LARGE` above 1 GiB. */
  async getFile(id: FileId): Promise<Uint8Array> {
    this.#requireOpen();
    return getFile(this.#context, id);
  }

  /** A file's bytes, or a range of them, as a stream of authenticated pieces. */
  readFile(id: FileId, options?: ReadOptions): AsyncGenerator<Uint8Array, void, undefined> {
    this.#requireOpen();
    return readFile(this.#context, id, options);
  }

  /** Writes a file to a path, where it appears only once it is whole, verified and durable. */
  async writeFileTo(id: FileId, path: string, options: WriteFileOptions = {}): Promise<FileRow> {
    return this.#run(
      (signal) => writeFileTo(this.#context, id, path, { ...options, signal }),
      options.signal,
    );
  }

  /** Deletes a file. Throws `NOT_FOUND`. */
  async deleteFile(id: FileId, options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.deleteFiles([id], options);
  }

  /** Deletes files in one transaction: all or none. */
  async deleteFiles(ids: readonly FileId[], options: DeleteOptions = {}): Promise<DeleteResult> {
    return this.#run(() => deleteFiles(this.#context, ids, options));
  }

  /** What is known about a file, without reading it. Throws `NOT_FOUND`. */
  getMetadata(id: FileId): FileRow {
    return this.#sync('cannot get the metadata', ({ files }) => files.get(id));
  }

  findMetadata(id: FileId): FileRow | undefined {
    return this.#sync('cannot get the metadata', ({ files }) => files.find(id));
  }

  /** A page of files: filtered, sorted, and with a cursor to the next page. */
  listFiles(query: FileQuery = {}): FilePage {
    return this.#sync('cannot list files', ({ files }) => files.list(query));
  }

  /** Files with `text` in their name or a tag, whatever the case. */
  findFiles(text: string, query: Omit<FileQuery, 'text'> = {}): FilePage {
    return this.listFiles({ ...query, text });
  }

  /** Gives a file another name, folder or both. The content is not touched. */
  renameFile(id: FileId, to: { readonly name?: string; readonly folder?: string }): FileRow {
    return this.#sync('cannot rename', (database) =>
      database.transaction(() => {
        const row = database.files.get(id);
        database.files.rename(id, parseFolder(to.folder ?? row.folder), parseFileName(to.name ?? row.name));
        return database.files.get(id);
      }),
    );
  }

  /** Verifies the storage, yields what is wrong, and returns how much was looked at. */
  check(options: CheckOptions = { mode: 'full' }): AsyncGenerator<Finding, CheckTotals, undefined> {
    this.#requireOpen();
    return check(this.#context, this.#context.databaseKey, options);
  }

  /**
   * Stages a backup of the storage as it is now: see `stageBackup`. Files may be saved and deleted meanwhile; a deletion waits until the backup
   * has its copy. Throws `IN_USE` when one is being staged already.
   */
  stageBackup(options: StageOptions): AsyncGenerator<StageEvent, StageTotals, undefined> {
    this.#requireOpen();
    const run = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => this.#run(work);
    return stageBackup({ context: this.#context, databaseKey: this.#context.databaseKey, run }, options);
  }

  /** Copies the sealed files that the rows name from the `files/` of another folder; yields what is not to be had there. */
  restoreFiles(options: RestoreFilesOptions): AsyncGenerator<NotRestored, void, undefined> {
    this.#requireOpen();
    return restoreFiles(this.#context, (work) => this.#run(work), options);
  }

  /** Sealed files that no row named when they were found: an older database had been put back, or somebody put them there. */
  async listQuarantine(): Promise<QuarantinedFile[]> {
    return this.#run(() => listQuarantine(this.#context));
  }

  /** Brings a file back from the quarantine, by its name there, once all of it is verified. */
  async adoptQuarantined(name: string, options: AdoptOptions = {}): Promise<FileRow> {
    return this.#run((signal) => adopt(this.#context, name, { ...options, signal }), options.signal);
  }

  /** Destroys a file in the quarantine, by its name there. */
  async dropQuarantined(name: string): Promise<void> {
    return this.#run(() => dropQuarantined(this.#context, name));
  }

  /** Brings every header to the current key epoch; goes on where it stopped. `failed` is empty when no earlier key is needed any more. */
  async rewrapHeaders(options: RewrapOptions = {}): Promise<RewrapResult> {
    return this.#rotate(options.signal, 'cannot rewrap the headers', (signal) =>
      rewrapAll(this.#context, { ...options, signal }),
    );
  }

  /** Says, durably, that files are to be sealed again: `isResealUnfinished` until `resealFiles` has returned. */
  beginReseal(): void {
    this.#sync('cannot begin to reseal', () => {
      beginReseal(this.#context);
    });
  }

  get isResealUnfinished(): boolean {
    return this.#sync('cannot look', (database) => isResealUnfinished(database));
  }

  /** Seals files again whose file keys are older than the current key epoch; goes on where it stopped. */
  async resealFiles(options: ResealOptions = {}): Promise<ResealResult> {
    return this.#rotate(options.signal, 'cannot reseal the files', (signal) =>
      resealAll(this.#context, { ...options, signal }),
    );
  }

  /** How many sealed files there are under each key epoch; reads all their headers. */
  async countKeyEpochs(options: { readonly signal?: AbortSignal } = {}): Promise<EpochCount> {
    return this.#rotate(options.signal, 'cannot count the key epochs', (signal) =>
      countEpochs(this.#context, signal),
    );
  }

  /** Finishes or undoes what a crash left, also of shredding; opening does so by itself after an unclean end. */
  async recover(): Promise<Recovery> {
    return this.#run(async () => {
      const recovery = await recover(this.#context);
      await finishShredding(this.#context, { isAsked: true });
      return recovery;
    });
  }

  /** Gives all unused space of the database back to the file system, as far as its disk and its pages allow; also happens by itself, in small steps. */
  async reclaimSpace(): Promise<void> {
    if (this.#context.database.refusesChanges) return;
    try {
      await this.#run(() => reclaimSpace(this.#context));
    } catch (error) {
      const failure = toStorageError(error, 'cannot give unused space back');
      if (failure.code !== 'NO_SPACE' && failure.code !== 'DAMAGED') throw failure;
    }
  }

  /** What was deleted and is not gone from the disk yet: the next opening, or `recover`, tries again. */
  pendingDeletions(): PendingDeletions {
    return this.#sync('cannot look for what is not gone yet', ({ tombstones }) => ({
      files: tombstones.list().map(({ id, deletedAtMs }) => ({ id, deletedAtMs })),
      isShredding: isShredding(this.#context),
    }));
  }

  /** Cancels what is still being saved or written, waits until that is cleaned up, and notes that nothing was left to recover. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    if (this.#context.database.refusesChanges) return;
    try {
      markClean(this.#context);
    } catch (error) {
      throw toStorageError(error, 'cannot close the storage');
    }
  }

  async #run<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.#requireOpen();
    const own = this.#closing.signal;
    const running = work(signal === undefined ? own : AbortSignal.any([signal, own]));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #rotate<T>(
    signal: AbortSignal | undefined,
    doing: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#run(work, signal);
    } catch (error) {
      throw toStorageError(error, doing);
    }
  }

  #sync<T>(doing: string, work: (database: CofferDatabase) => T): T {
    this.#requireOpen();
    try {
      return work(this.#context.database);
    } catch (error) {
      throw toStorageError(error, doing);
    }
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new StorageError('CLOSED', 'this storage is closed');
  }
}

/** A damaged database decides about no file; what can be read is to be read all the same. The mark stays, so the next opening tries again. */
async function recoverIfReadable(context: ShredContext): Promise<Recovery | undefined> {
  try {
    return await recover(context);
  } catch (error) {
    if (error instanceof StorageError && error.damage === 'DATABASE_DAMAGED') return undefined;
    throw error;
  }
}
