import type { DriverDatabase, DriverStatement, SqlValue } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { toDatabaseError } from './translate-error.ts';

/** Statements are few and fixed, except for the listings, which vary with their filters. */
const MAX_CACHED_STATEMENTS = 256;

/** The largest value of the header's field that the counter of commits is in. */
const MAX_COMMITS = 2_147_483_647;

const DELETES_ROWS = /^\s*DELETE\b/;

const CHANGES_ROWS = /^\s*(?:INSERT|UPDATE|DELETE)\b/;

/**
 * One keyed connection: prepared statements that are reused, transactions, and every driver error translated.
 * Nothing above this file sees the driver.
 */
export class Connection {
  #driver: DriverDatabase;
  readonly #label: string;
  readonly #statements = new Map<string, DriverStatement>();
  #depth = 0;
  /**
   * Why SQLite has rolled the running transaction back (disk full, I/O). The rest of the work must not go on as if nothing had
   * happened: each statement would be committed on its own.
   */
  #lost: DatabaseError | undefined;
  #afterCommit: (statements: number) => void = () => undefined;
  /** Changing statements since the last commit. */
  #changing = 0;
  #hasChangedRows = false;
  #deletions = 0;
  #countsCommits = false;
  #refusesChanges = false;
  #commits: number | undefined;

  /** `label` is what messages call the database: its path, since a program may have several open. */
  constructor(driver: DriverDatabase, label: string) {
    this.#driver = driver;
    this.#label = label;
  }

  get isOpen(): boolean {
    return this.#driver.open;
  }

  get inTransaction(): boolean {
    return this.#depth > 0;
  }

  /** How many statements have deleted rows, also in transactions that were undone. */
  get deletions(): number {
    return this.#deletions;
  }

  /** Called after every commit, outside the transaction, with the number of statements that it may have changed something with. */
  onCommit(listener: (statements: number) => void): void {
    this.#afterCommit = listener;
  }

  /** Counts every commit from now on that has changed rows or where they are, in the same commit. */
  countCommits(): void {
    this.#countsCommits = true;
  }

  /** From here on SQLite refuses every change. */
  refuseChanges(): void {
    this.pragma('query_only = ON');
    this.#refusesChanges = true;
  }

  get refusesChanges(): boolean {
    return this.#refusesChanges;
  }

  /** The running transaction is one to count, though no row changes in it. */
  countThis(): void {
    this.#hasChangedRows = true;
  }

  /** Runs `work` without that refusal. */
  despiteRefusal<T>(work: () => T): T {
    if (!this.#refusesChanges) return work();
    this.pragma('query_only = OFF');
    try {
      return work();
    } finally {
      this.pragma('query_only = ON');
    }
  }

  /** How many commits have been counted since the database was made. It stops at 2^31 - 1. */
  get commitCount(): number {
    // The field of the header that SQLite leaves to applications: it costs no page where the database grows or shrinks.
    this.#commits ??= Math.max(0, Number(this.pragma('application_id')));
    return this.#commits;
  }

  /** Runs one changing statement; returns the number of rows it changed. */
  run(sql: string, ...parameters: SqlValue[]): number {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#depth === 0 && this.#countsCommits && CHANGES_ROWS.test(sql))
      return this.transaction(() => this.run(sql, ...parameters));
    const changes = this.#guarded(() => this.#prepared(sql).run(...parameters).changes);
    if (changes > 0) this.#hasChangedRows = true;
    if (changes > 0 && DELETES_ROWS.test(sql)) this.#deletions += 1;
    this.#changing += 1;
    if (this.#depth === 0) this.#committed();
    return changes;
  }

  /** The first row, `undefined` when there is none. */
  get(sql: string, ...parameters: SqlValue[]): unknown {
    return this.#guarded(() => this.#prepared(sql).get(...parameters));
  }

  all(sql: string, ...parameters: SqlValue[]): unknown[] {
    return this.#guarded(() => this.#prepared(sql).all(...parameters));
  }

  /** Runs fixed SQL of several statements, each to its end. */
  exec(sql: string): void {
    this.#guarded(() => this.#driver.exec(sql));
    this.#changing += 1;
    if (this.#depth === 0) this.#committed();
  }

  /** The first column of the pragma's first row; `undefined` when it answers nothing. */
  pragma(source: string): unknown {
    return firstValue(this.#guarded(() => this.#driver.pragma(source)));
  }

  /**
   * Runs `work` in one `BEGIN IMMEDIATE` transaction: all of it or, when it throws, nothing. A call inside another joins it as
   * a savepoint, so that an inner failure that is caught undoes the inner part alone.
   */
  transaction<T>(work: () => T): T {
    const outermost = this.#depth === 0;
    this.#guarded(() => this.#prepared(outermost ? 'BEGIN IMMEDIATE' : 'SAVEPOINT inner_work').run());
    this.#depth += 1;
    let result: T;
    try {
      result = work();
      if (isThenable(result)) throw invalid('a transaction is synchronous: its work returned a promise');
      if (this.#lost !== undefined) throw this.#lost;
      const commits = outermost ? this.#raiseCount() : undefined;
      this.#guarded(() => this.#prepared(outermost ? 'COMMIT' : 'RELEASE inner_work').run());
      this.#commits = commits ?? this.#commits;
    } catch (error) {
      this.#undo(outermost);
      throw error;
    } finally {
      this.#depth -= 1;
      if (outermost) {
        this.#lost = undefined;
        this.#hasChangedRows = false;
      }
    }
    if (outermost) this.#committed();
    return result;
  }

  close(): void {
    this.#statements.clear();
    this.#guarded(() => this.#driver.close());
  }

  /**
   * Closes the connection, lets `open` do what needs that, and goes on with the driver it gives; then throws the error it gives, if any.
   * When `open` throws, this stays closed.
   */
  reopen(open: () => { readonly driver: DriverDatabase; readonly error?: unknown }): void {
    if (this.inTransaction) throw invalid('a connection cannot be opened again inside a transaction');
    this.close();
    const { driver, error } = open();
    this.#driver = driver;
    this.#commits = undefined;
    if (error !== undefined) throw toDatabaseError(error, `the database ${this.#label}`);
  }

  /** Raises the counter in the running transaction; returns what it will be, when it is to be raised. */
  #raiseCount(): number | undefined {
    if (!this.#countsCommits || !this.#hasChangedRows) return undefined;
    const commits = Math.min(MAX_COMMITS, this.commitCount + 1);
    this.#guarded(() => this.#driver.exec(`PRAGMA application_id = ${String(commits)}`));
    return commits;
  }

  #committed(): void {
    const statements = this.#changing;
    this.#changing = 0;
    // Nothing was written.
    if (statements === 0) return;
    this.#afterCommit(statements);
  }

  /** SQLite itself rolls back after some errors (disk full, I/O): then there is nothing left to undo. */
  #undo(outermost: boolean): void {
    if (!this.#driver.open || !this.#driver.inTransaction) return;
    try {
      this.#driver.exec(outermost ? 'ROLLBACK' : 'ROLLBACK TO inner_work; RELEASE inner_work');
    } catch {
      // The error that led here says more, and a transaction that cannot be undone is never committed either.
    }
  }

  #prepared(sql: string): DriverStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_CACHED_STATEMENTS) this.#statements.clear();
    const statement = this.#driver.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(work: () => T): T {
    if (!this.#driver.open) throw new DatabaseError('CLOSED', `${this.#label} is closed`);
    try {
      return work();
    } catch (error) {
      const translated = toDatabaseError(error, `the database ${this.#label}`);
      if (this.#depth > 0 && !this.#driver.inTransaction) this.#lost ??= translated;
      throw translated;
    }
  }
}

/** The first column of the first row of a pragma's answer. */
export function firstValue(rows: unknown): unknown {
  const first: unknown = Array.isArray(rows) ? rows[0] : undefined;
  return typeof first === 'object' && first !== null ? Object.values(first)[0] : undefined;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
