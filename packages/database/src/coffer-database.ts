import { statSync } from 'node:fs';
import { CheckpointPolicy } from './checkpoint-policy.ts';
import { isProvenSound } from './check-aside.ts';
import { checkInteger } from './columns.ts';
import type { Connection } from './connection.ts';
import { DatabaseCopies } from './database-copies.ts';
import type { RekeyOptions } from './database-copies.ts';
import { DatabaseError } from './errors.ts';
import { holdFile } from './open-files.ts';
import type { HeldFile } from './open-files.ts';
import { FileTable } from './file-table.ts';
import { FreePages } from './free-pages.ts';
import { integrityCheck } from './integrity-check.ts';
import { scanPagesInChild } from './page-scan-child.ts';
import type { PageScan, PageScanOptions } from './page-scan.ts';
import { SpaceReserve } from './space-reserve.ts';
import { SettingTable } from './setting-table.ts';
import type { StagedRekey } from './staged-rekey.ts';
import { TagTable } from './tag-table.ts';
import { TombstoneTable } from './tombstone-table.ts';
import { TransferTable } from './transfer-table.ts';

export interface TransactionOptions {
  /**
   * For work whose result is that there is more space, such as deleting. When the disk is full, a reserve that is kept beside the database
   * is given up and the work is run a second time, so it must not do anything that cannot be repeated.
   */
  readonly freesSpace?: boolean;
}

export interface BackupOptions {
  /** That of the database. */
  readonly key: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface IntegrityCheckOptions {
  /** That of the database. */
  readonly key: Uint8Array;
  readonly signal?: AbortSignal;
}

/** An open database, held by this process alone until it is closed. After that every call throws `CLOSED`. */
export class CofferDatabase implements Disposable {
  readonly path: string;
  readonly schemaVersion: number;
  readonly files: FileTable;
  readonly tags: TagTable;
  readonly tombstones: TombstoneTable;
  readonly transfers: TransferTable;
  readonly settings: SettingTable;
  readonly #connection: Connection;
  readonly #checkpoints: CheckpointPolicy;
  readonly #freePages: FreePages;
  #file: HeldFile;
  readonly #reserve: SpaceReserve;
  readonly #keepsReserve: boolean;
  readonly #closing = new AbortController();
  readonly #copies: DatabaseCopies;

  constructor(
    connection: Connection,
    options: { path: string; schemaVersion: number; file: HeldFile; salt: Uint8Array; keepsReserve: boolean },
  ) {
    this.path = options.path;
    this.schemaVersion = options.schemaVersion;
    this.#file = options.file;
    this.#connection = connection;
    this.#freePages = new FreePages(connection);
    this.#checkpoints = new CheckpointPolicy(connection, () => {
      this.#freePages.giveBackSlowly();
    });
    this.#reserve = new SpaceReserve(options.path, options.salt);
    this.#keepsReserve = options.keepsReserve;
    this.#keepReserve();
    this.#hold(options.file);
    this.#copies = new DatabaseCopies({
      path: options.path,
      connection,
      checkpoints: this.#checkpoints,
      closing: this.#closing.signal,
      freeze: () => this.#freeze(),
      onReplaced: (salt) => {
        this.#file.release();
        this.#hold(holdFile(this.path));
        this.#keepReserve(salt);
      },
    });
    this.tags = new TagTable(connection);
    this.files = new FileTable(connection, this.tags);
    this.tombstones = new TombstoneTable(connection);
    this.transfers = new TransferTable(connection);
    this.settings = new SettingTable(connection);
  }

  /**
   * Runs synchronous work in one transaction, durable when this returns: all of it or, when it throws, nothing. A call inside
   * another joins it, whose options count. Work that returns a promise is undone and refused with `INVALID`.
   */
  transaction<T>(work: () => T, { freesSpace = false }: TransactionOptions = {}): T {
    const isOutermost = !this.#connection.inTransaction;
    try {
      return this.#connection.transaction(work);
    } catch (error) {
      const isFull = error instanceof DatabaseError && error.code === 'NO_SPACE';
      if (!isFull || !freesSpace || !isOutermost || !this.#reserve.giveBack()) throw error;
      return this.#connection.transaction(work);
    }
  }

  /** From here on every change is refused with `NOT_PERMITTED`. */
  refuseChanges(): void {
    this.#connection.refuseChanges();
  }

  get refusesChanges(): boolean {
    return this.#connection.refusesChanges;
  }

  /** Lets `work` change the database all the same: what belongs into a copy that is made of it, where nobody keeps this one. */
  despiteRefusal<T>(work: () => T): T {
    return this.#connection.despiteRefusal(work);
  }

  /**
   * Moves what is in the WAL into the database file; `truncate` empties the WAL too. Also happens by itself. Throws `IN_USE` while a page
   * scan runs, `NO_SPACE` when the file has to grow and the reserve is not enough.
   */
  checkpoint(mode: 'passive' | 'truncate'): void {
    try {
      this.#checkpoints.run(mode);
    } catch (error) {
      const isFull = error instanceof DatabaseError && error.code === 'NO_SPACE';
      if (!isFull || !this.#reserve.giveBack()) throw error;
      this.#checkpoints.run(mode);
    }
  }

  /** Resolves when no page scan keeps checkpoints from running. */
  async whenNotScanned(): Promise<void> {
    await this.#checkpoints.whenReleased();
  }

  /**
   * Counts every transaction that changes rows, from now on: durable with it, and never falling. Who remembers the counter notices that an older copy of the file
   * was put back.
   */
  countCommits(): void {
    this.#connection.countCommits();
  }

  /** How many transactions have been counted since the database was made. */
  get commitCount(): number {
    return this.#connection.commitCount;
  }

  /** Of the WAL's file; 0 when there is none. */
  walSizeBytes(): number {
    return statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Gives up to `maxPages` free pages of 4 KiB back to the file system; returns how many it was. Also happens by itself, in small steps. */
  reclaimSpace(maxPages = 256): number {
    checkInteger(maxPages, 'the number of pages', 1);
    return this.transaction(() => this.#freePages.giveBack(maxPages), { freesSpace: true });
  }

  /**
   * Writes the whole database anew under its key, from what lives in it alone: for what deleting leaves in the space between rows. The old file is overwritten. It
   * takes the space and the time of `stageRekey` and `commit`, and rejects as they do, having changed nothing. The key is asked for when it can't change any more, and zeroed.
   */
  async rebuild(databaseKey: () => Uint8Array): Promise<void> {
    await this.#copies.rebuild(databaseKey);
  }

  /**
   * Writes a consistent, compact copy under the same key, which is the database's. The name appears when the copy is complete and durable. A large database is copied by
   * another process, as it was at the beginning: it can be read and written meanwhile, and what is written waits in the WAL. Waits for a page scan. Rejects with
   * `EXISTS`, `NO_SPACE`, `NOT_PERMITTED`, `CORRUPT`, `CLOSED`, or the signal's reason.
   */
  async backupTo(path: string, { key, signal }: BackupOptions): Promise<void> {
    await this.#copies.backUp(path, key, signal);
  }

  /**
   * Makes a copy of the database under another key, beside it, and changes nothing: whether there is space for it and every page can be read is
   * found out before anything depends on it. It copies the keys before it returns; `discard` forgets them. A large database is copied by another process, and can be read and written meanwhile;
   * that takes the space of two more, or of one more where there is no space for two or the file system shares blocks. Waits for page scans and for another change of key.
   *
   * Rejects with `NO_SPACE`, `CORRUPT`, `INVALID` (inside a transaction), `NOT_PERMITTED`, `CLOSED`, or the signal's reason.
   */
  async stageRekey(options: RekeyOptions): Promise<StagedRekey> {
    return await this.#copies.stageRekey(options);
  }

  /** What SQLite finds wrong with structure, indexes and references; empty when nothing is. */
  integrityCheck(): string[] {
    return integrityCheck(this.#connection);
  }

  /**
   * The same. Another process finds out that nothing is wrong with a large database, from a copy that takes its space for as long: it can be read and written meanwhile, and what is
   * written waits in the WAL. It is checked here when that has found something or can't be done. `key` is the database's. Rejects with the signal's reason, or with `CLOSED`.
   */
  async integrityCheckAside({ key, signal }: IntegrityCheckOptions): Promise<string[]> {
    const isSound = await isProvenSound({
      path: this.path,
      key,
      freeze: () => this.#freeze(),
      signal: this.#untilClosed(signal),
    });
    return isSound ? [] : this.integrityCheck();
  }

  /**
   * Verifies the HMAC of every page, in a process of its own, while the database stays open: it can be read and written meanwhile, and
   * what is written waits in the WAL. `key` is the database's. Rejects with the signal's reason, or with `CLOSED`.
   */
  async scanPages(options: Omit<PageScanOptions, 'path'>): Promise<PageScan> {
    const signal = this.#untilClosed(options.signal);
    return await scanPagesInChild({ ...options, path: this.path, signal });
  }

  /** Empties the WAL and gives the lock back. Closing twice is allowed. */
  close(): void {
    if (!this.#connection.isOpen) return;
    this.#checkpoints.stop();
    if (this.refusesChanges) this.#freePages.stop();
    else this.#freePages.giveBackBeforeClosing();
    this.#closing.abort(
      new DatabaseError('CLOSED', `${this.path} was closed during a page scan, a copy or a check`),
    );
    try {
      this.#connection.close();
    } finally {
      this.#file.release();
    }
    // What was given up for a deletion, when there is space again.
    this.#keepReserve();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #untilClosed(signal: AbortSignal | undefined): AbortSignal {
    if (!this.#connection.isOpen) throw new DatabaseError('CLOSED', `${this.path} is closed`);
    const closing = this.#closing.signal;
    return signal === undefined ? closing : AbortSignal.any([signal, closing]);
  }

  #keepReserve(salt?: Uint8Array): void {
    if (this.#keepsReserve) this.#reserve.keep(salt);
  }

  #hold(file: HeldFile): void {
    this.#file = file;
    file.freeze = () => this.#freeze();
  }

  #freeze(): () => void {
    // Here, so that a full disk does not keep the last bytes of the log out of what is looked at.
    if (!this.#checkpoints.isHeld) this.checkpoint('truncate');
    return this.#checkpoints.freeze();
  }
}
