import type { DriverDatabase, DriverStatement, SqlValue } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { toDatabaseError } from './translate-error.ts';

/** Statements are few and fixed, except for the listings, which vary with their filters. */
const MAX_CACHED_STATEMENTS = 256;

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
  #hasCommitted = false;

  /** `label` is what messages call the database: its file name. */
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

  /** Whether anything was changed through this connection. */
  get hasCommitted(): boolean {
    return this.#hasCommitted;
  }

  /** Called after every commit, outside the transaction, with the number of statements that it may have changed something with. */
  onCommit(listener: (statements: number) => void): void {
    this.#afterCommit = listener;
  }

  /** Runs one changing statement; returns the number of rows it changed. */
  run(sql: string, ...parameters: SqlValue[]): number {
    if (this.#lost !== undefined) throw this.#lost;
    const changes = this.#guarded(() => this.#prepared(sql).run(...parameters).changes);
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
      this.#guarded(() => this.#prepared(outermost ? 'COMMIT' : 'RELEASE inner_work').run());
    } catch (error) {
      this.#undo(outermost);
      throw error;
    } finally {
      this.#depth -= 1;
      if (outermost) this.#lost = undefined;
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
    if (error !== undefined) throw toDatabaseError(error, `the database ${this.#label}`);
  }

  #committed(): void {
    const statements = this.#changing;
    this.#changing = 0;
    // Nothing was written.
    if (statements === 0) return;
    this.#hasCommitted = true;
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
