import { statSync } from 'node:fs';
import { buildFile } from './build-file.ts';
import type { CheckpointPolicy } from './checkpoint-policy.ts';
import { checkKeySize } from './cipher-key.ts';
import { integerOf, parseColumns } from './columns.ts';
import type { Connection } from './connection.ts';
import { ASIDE_FROM_BYTES, copyAside } from './copy-aside.ts';
import { DatabaseError, invalid } from './errors.ts';
import type { DatabaseErrorCode } from './errors.ts';
import { fillCopy } from './fill-copy.ts';
import type { CopyKeys } from './fill-copy.ts';
import { discardRekeyed, putRekeyedInPlace, rekeyedPath } from './rekey.ts';
import type { RekeyKeys } from './rekey.ts';
import type { StagedRekey } from './staged-rekey.ts';
import { Turns } from './turns.ts';

/** How often a copy that somebody has made out of date is made again while others may write. Then it is made with nobody writing, so that there is an end to it. */
const MAX_ROUNDS = 2;

/** What trying again here would not mend. */
const FINAL: readonly DatabaseErrorCode[] = ['CORRUPT', 'EXISTS', 'CLOSED', 'INVALID'];

export interface RekeyOptions extends RekeyKeys {
  /** Called at the moment from which the database is under the new key. */
  readonly onInPlace?: () => void;
  readonly signal?: AbortSignal;
}

/** What copies need of the database that they are of. */
export interface CopiesPort {
  readonly path: string;
  readonly connection: Connection;
  readonly checkpoints: CheckpointPolicy;
  /** Aborted when the database is closed. */
  readonly closing: AbortSignal;
  /** Empties the log and keeps the file as it is until the result is called. Throws `NO_SPACE`. */
  readonly freeze: () => () => void;
  /** The file has been replaced by one with this salt. */
  readonly onReplaced: (salt: Uint8Array) => void;
}

/**
 * Copies of the whole database. Large ones are made by another process from the file, which does not change meanwhile: what is written waits in the log
 * (docs/decisions/0036).
 */
export class DatabaseCopies {
  readonly #port: CopiesPort;
  readonly #turns = new Turns();
  /** Of the connections before this one: SQLite counts those of one. */
  #changesBefore = 0;
  /** Whose copy it is that waits beside the database. */
  #staged: symbol | undefined;

  constructor(port: CopiesPort) {
    this.#port = port;
  }

  async backUp(path: string, key: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    this.#checkNoTransaction();
    checkKeySize(key);
    const own = Uint8Array.from(key);
    try {
      await this.#copy(path, { key: own }, signal);
    } finally {
      own.fill(0);
    }
  }

  /** `keys` are asked for when nothing else changes the key any more. */
  async rebuild(databaseKey: () => Uint8Array): Promise<void> {
    this.#checkNoTransaction();
    await this.#turns.take(async () => {
      const key = databaseKey();
      const change = new Change(this.#port.path, { key, newKey: key });
      key.fill(0);
      try {
        await this.#build(change);
        await this.#commit(change);
      } finally {
        this.#discard(change);
      }
    });
  }

  async stageRekey(options: RekeyOptions): Promise<StagedRekey> {
    this.#checkNoTransaction();
    const change = new Change(this.#port.path, options);
    try {
      await this.#turns.take(() => this.#build(change));
    } catch (error) {
      this.#discard(change);
      throw error;
    }
    return {
      get isInPlace() {
        return change.isInPlace;
      },
      commit: async () => {
        this.#checkNoTransaction();
        await this.#turns.take(() => this.#commit(change));
      },
      discard: () => {
        this.#discard(change);
      },
    };
  }

  async #build(change: Change): Promise<void> {
    const { path } = this.#port;
    const copied = await this.#whenFree(change.signal, () => {
      this.#begin(change);
      return { changes: this.#copy(rekeyedPath(path), change.keys, change.signal) };
    });
    change.changes = await copied.changes;
  }

  async #commit(change: Change): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const done = await this.#whenFree(change.signal, () =>
        this.#isCurrent(change) ? this.#putInPlace(change) : undefined,
      );
      if (done !== undefined) {
        await done.overwritten;
        return;
      }
      await this.#build(change);
    }
    const { overwritten } = await this.#whenFree(change.signal, () => {
      if (!this.#isCurrent(change)) {
        this.#begin(change);
        change.changes = this.#copyHere(rekeyedPath(this.#port.path), change.keys);
      }
      return this.#putInPlace(change);
    });
    await overwritten;
  }

  /** At once. What is overwritten then is the old file; until that is done nothing else is put in place. */
  #putInPlace(change: Change): { readonly overwritten: Promise<void> } {
    const { connection, checkpoints, path, onReplaced } = this.#port;
    checkpoints.run('truncate');
    const changes = this.#totalChanges();
    const overwritten = putRekeyedInPlace(connection, path, change.keys, (salt) => {
      this.#staged = undefined;
      this.#changesBefore = changes + 1;
      onReplaced(salt);
      change.becomeInPlace();
    });
    return { overwritten: overwritten.finally(checkpoints.freeze()) };
  }

  /** From now on the copy beside the database is this one's. */
  #begin({ id }: Change): void {
    discardRekeyed(this.#port.path);
    this.#staged = id;
  }

  #isCurrent({ id, changes }: Change): boolean {
    return this.#staged === id && this.#totalChanges() === changes;
  }

  #discard(change: Change): void {
    change.forget();
    if (this.#staged !== change.id) return;
    this.#staged = undefined;
    discardRekeyed(this.#port.path);
  }

  /** Resolves with the number of changes that are in the copy. */
  async #copy(to: string, keys: CopyKeys, signal: AbortSignal | undefined): Promise<number> {
    const { path, closing } = this.#port;
    const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (sizeBytes < ASIDE_FROM_BYTES) return this.#copyHere(to, keys);
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    try {
      return await this.#copyFrozen(async () => {
        await copyAside(path, to, keys, either);
      }, either);
    } catch (error) {
      either.throwIfAborted();
      if (!(error instanceof DatabaseError) || FINAL.includes(error.code)) throw error;
      // That takes less space, and no other process; what is wrong with the disk it says itself.
      return this.#copyHere(to, keys);
    }
  }

  async #copyFrozen(copy: () => Promise<void>, signal: AbortSignal): Promise<number> {
    const { release, changes } = await this.#whenFree(signal, () => ({
      release: this.#port.freeze(),
      changes: this.#totalChanges(),
    }));
    try {
      await copy();
      return changes;
    } finally {
      release();
    }
  }

  #copyHere(to: string, keys: CopyKeys): number {
    buildFile(to, (temporaryPath) => {
      fillCopy(this.#port.connection, temporaryPath, keys);
    });
    return this.#totalChanges();
  }

  /** Does something when no page scan and no copy needs the file as it is: in that very moment, for the next one may begin in the next. */
  async #whenFree<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
    const { checkpoints, closing } = this.#port;
    do {
      await checkpoints.whenReleased();
      closing.throwIfAborted();
      signal?.throwIfAborted();
    } while (checkpoints.isHeld);
    return work();
  }

  #checkNoTransaction(): void {
    if (this.#port.connection.inTransaction)
      throw invalid('the database cannot be copied inside a transaction');
  }

  /** Rows that were changed since the database was opened, and how often its file was replaced, which counts as a change. */
  #totalChanges(): number {
    const row = parseColumns(this.#port.connection.get('SELECT total_changes() AS n'));
    return this.#changesBefore + integerOf(row['n'], 'total_changes');
  }
}

/** One change of key: its own copies of the keys, and how far it is. */
class Change {
  readonly id: symbol;
  readonly keys: RekeyKeys;
  readonly signal: AbortSignal | undefined;
  readonly #onInPlace: (() => void) | undefined;
  isInPlace = false;
  /** That are in the copy. */
  changes = -1;

  constructor(path: string, { key, newKey, signal, onInPlace }: RekeyOptions) {
    this.id = Symbol(path);
    for (const each of [key, newKey]) checkKeySize(each);
    this.keys = { key: Uint8Array.from(key), newKey: Uint8Array.from(newKey) };
    this.signal = signal;
    this.#onInPlace = onInPlace;
  }

  becomeInPlace(): void {
    this.isInPlace = true;
    this.#onInPlace?.();
  }

  forget(): void {
    this.keys.key.fill(0);
    this.keys.newKey.fill(0);
  }
}
