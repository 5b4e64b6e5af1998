import { parseColumns, integerOf } from './columns.ts';
import type { Connection } from './connection.ts';
import { DatabaseError, invalid } from './errors.ts';

/**
 * 16 MiB: below it, commits never pay for a checkpoint. It encrypts each page again (47 ms of CPU for 2,048 of them) but only once,
 * however often the page was written: the larger the bound, the less a commit costs on average. docs/decisions/0008.
 */
const MAX_PENDING_FRAMES = 4096;
/** Asking how large the WAL is costs as much as a statement, so it is asked after this many of them. A BLOB has 26 pages at most. */
const STATEMENTS_PER_LOOK = 32;
const IDLE_MS = 1000;

/**
 * Moves pages from the WAL to the database when nothing was committed for a second, or when the WAL has grown to 16 MiB. After a deletion the WAL is
 * emptied then, too: pages as they were before stay in it until it is written over.
 * What fails here is tried again later: the commit before it has succeeded and must be reported so.
 */
export class CheckpointPolicy {
  readonly #connection: Connection;
  readonly #whenSettled: () => void;
  readonly #waiting: (() => void)[] = [];
  #holds = 0;
  #retryAtFrames = MAX_PENDING_FRAMES;
  #timer: NodeJS.Timeout | undefined;
  #statements = 0;
  /** Those of which nothing is in the WAL any more. */
  #deletionsBefore = 0;

  /** `whenSettled` is called when nothing was committed for a second and the WAL has been moved. */
  constructor(connection: Connection, whenSettled: () => void) {
    this.#connection = connection;
    this.#whenSettled = whenSettled;
    connection.onCommit((statements) => {
      this.#afterCommit(statements);
    });
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** Empties the WAL; from then on no checkpoint runs, and so the database file does not change, until the result is called. */
  freeze(): () => void {
    if (!this.isHeld) this.run('truncate');
    this.#holds += 1;
    let held = true;
    return () => {
      if (held) this.#holds -= 1;
      held = false;
      if (this.isHeld) return;
      for (const resume of this.#waiting.splice(0)) resume();
      // What could not be done meanwhile.
      this.#timer?.refresh();
    };
  }

  /** Resolves when no page scan runs, at once or later. */
  async whenReleased(): Promise<void> {
    while (this.isHeld) await new Promise<void>((resume) => this.#waiting.push(resume));
  }

  /** Throws `IN_USE` while a page scan runs. */
  run(mode: 'passive' | 'truncate'): void {
    if (this.isHeld) throw new DatabaseError('IN_USE', 'no checkpoint can run during a page scan');
    if (this.#connection.inTransaction) throw invalid('no checkpoint can run inside a transaction');
    this.#connection.pragma(`wal_checkpoint(${mode})`);
    if (mode === 'truncate') this.#deletionsBefore = this.#connection.deletions;
    this.#retryAtFrames = MAX_PENDING_FRAMES;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #afterCommit(statements: number): void {
    // One timer that is pushed back; it never keeps the process alive.
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#whenIdle();
      }, IDLE_MS).unref();
    } else {
      this.#timer.refresh();
    }
    this.#statements += statements;
    if (this.#statements < STATEMENTS_PER_LOOK) return;
    this.#statements = 0;
    const pending = this.#pendingFrames();
    if (pending < this.#retryAtFrames || this.isHeld) return;
    if (!this.#attempt('passive')) this.#retryAtFrames = pending + MAX_PENDING_FRAMES;
  }

  #whenIdle(): void {
    const { isOpen, inTransaction, deletions } = this.#connection;
    if (!isOpen || inTransaction || this.isHeld) return;
    const isMoved =
      deletions > this.#deletionsBefore
        ? this.#attempt('truncate')
        : this.#pendingFrames() === 0 || this.#attempt('passive');
    if (isMoved) this.#whenSettled();
  }

  #attempt(mode: 'passive' | 'truncate'): boolean {
    try {
      this.run(mode);
      return true;
    } catch {
      return false;
    }
  }

  /** NOOP looks and does nothing (SQLite 3.51): `log` frames are in the WAL, `checkpointed` of them in the database too. */
  #pendingFrames(): number {
    const row = parseColumns(this.#connection.get('PRAGMA wal_checkpoint(NOOP)'));
    return integerOf(row['log'], 'log') - integerOf(row['checkpointed'], 'checkpointed');
  }
}
