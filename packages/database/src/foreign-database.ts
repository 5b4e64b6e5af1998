import type { Connection } from './connection.ts';
import { DatabaseError, corrupt, invalid } from './errors.ts';

/** One value of a row of a foreign table, of whatever type it turned out to be. */
export type ForeignCell =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly value: bigint }
  | { readonly type: 'real'; readonly value: number }
  /** `value` is left out when it is larger than was asked for. */
  | { readonly type: 'text'; readonly sizeBytes: number; readonly value?: string }
  | { readonly type: 'blob'; readonly sizeBytes: number; readonly value?: Uint8Array }
  /** Its pages do not authenticate, or cannot be what a database has there. */
  | { readonly type: 'damaged' };

export interface ForeignRowids {
  /** As decimal text: rowids go up to 2^63 - 1. */
  readonly rowids: readonly string[];
  /** True if pages of the table are damaged: an unknown number of rows is missing. */
  readonly isIncomplete: boolean;
}

const PAGE_ROWS = 1_000;
/** Of the values that are read with their row. */
const DEFAULT_MAX_VALUE_BYTES: number = 64 * 1024;

/**
 * A database of another program, opened by `openForeignDatabase`: its tables are read as they are, with damage as a value and not as the end
 * of reading. Throws `CLOSED`, and `NOT_FOUND` for a table or row that is not there.
 */
export class ForeignDatabase implements Disposable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The columns of a plain table; `undefined` when there is none of that name, or it is a view, virtual, or has no rowids. */
  findColumns(table: string): readonly string[] | undefined {
    const kind = this.#connection.get(
      `SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?`,
      table,
    );
    if (kind === undefined || field(kind, 'type') !== 'table' || field(kind, 'wr') !== 0) return undefined;
    // Without generated columns, which are expressions of somebody else's.
    const columns = this.#connection.all('SELECT name FROM pragma_table_info(?)', table);
    return columns.map((column) => field(column, 'name')).filter((name) => typeof name === 'string');
  }

  /** The rowids of a table in their order. Where pages are damaged, those before and those after the damage. */
  rowids(table: string): ForeignRowids {
    const ascending = this.#walk(table, '>', 'ASC', undefined);
    if (ascending.isComplete) return { rowids: ascending.rowids, isIncomplete: false };
    const descending = this.#walk(table, '<', 'DESC', ascending.rowids.at(-1));
    return { rowids: [...ascending.rowids, ...descending.rowids.toReversed()], isIncomplete: true };
  }

  /** Some columns of a row. Texts and BLOBs of more than `maxValueBytes` (64 KiB when not given) come without their value. */
  row<Column extends string>(
    table: string,
    rowid: string,
    columns: readonly Column[],
    maxValueBytes: number = DEFAULT_MAX_VALUE_BYTES,
  ): Readonly<Record<Column, ForeignCell>> {
    const cells = {} as Record<Column, ForeignCell>;
    for (const column of columns) cells[column] = this.#cell(table, rowid, column, maxValueBytes);
    return cells;
  }

  /** The bytes of a text or BLOB. Throws `CORRUPT`, and `INVALID` when there are more than `maxBytes`. */
  bytes(table: string, rowid: string, column: string, maxBytes: number): Uint8Array {
    const name = quoted(column);
    const from = `FROM ${quoted(table)} WHERE _rowid_ = CAST(? AS INTEGER)`;
    const sizeBytes = field(
      this.#connection.get(`SELECT octet_length(${name}) AS size ${from}`, rowid),
      'size',
    );
    if (typeof sizeBytes === 'number' && sizeBytes > maxBytes) {
      throw invalid(`the value has ${String(sizeBytes)} bytes, more than ${String(maxBytes)}`);
    }
    const value = field(
      this.#connection.get(`SELECT CAST(${name} AS BLOB) AS value ${from}`, rowid),
      'value',
    );
    if (!(value instanceof Uint8Array)) throw new DatabaseError('NOT_FOUND', `there is no such value`);
    return value;
  }

  [Symbol.dispose](): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  #walk(
    table: string,
    operator: '>' | '<',
    order: 'ASC' | 'DESC',
    stopAt: string | undefined,
  ): { readonly rowids: readonly string[]; readonly isComplete: boolean } {
    const rowids: string[] = [];
    const stop = stopAt === undefined ? undefined : BigInt(stopAt);
    for (let limit = PAGE_ROWS; ;) {
      const last = rowids.at(-1);
      let page: readonly string[];
      try {
        const where = last === undefined ? '' : `WHERE _rowid_ ${operator} CAST(? AS INTEGER)`;
        const sql = `SELECT CAST(_rowid_ AS TEXT) AS id FROM ${quoted(table)} ${where} ORDER BY _rowid_ ${order} LIMIT ${String(limit)}`;
        const rows = last === undefined ? this.#connection.all(sql) : this.#connection.all(sql, last);
        page = rows.map((row) => parseRowid(field(row, 'id')));
      } catch (error) {
        if (!isDamage(error)) throw error;
        // Some rows of this page may come before the damage.
        if (limit === 1) return { rowids, isComplete: false };
        limit = Math.ceil(limit / 10);
        continue;
      }
      for (const rowid of page) {
        const previous = rowids.at(-1);
        if (previous !== undefined && !isBeyond(rowid, previous, operator))
          throw corrupt('the rowids are not in order');
        if (stop !== undefined && BigInt(rowid) <= stop) return { rowids, isComplete: true };
        rowids.push(rowid);
      }
      if (page.length < limit) return { rowids, isComplete: true };
    }
  }

  #cell(table: string, rowid: string, column: string, maxValueBytes: number): ForeignCell {
    const name = quoted(column);
    const sql = `SELECT typeof(${name}) AS type, octet_length(${name}) AS size,
        CASE typeof(${name}) WHEN 'integer' THEN CAST(${name} AS TEXT) WHEN 'real' THEN ${name} WHEN 'null' THEN NULL
          ELSE CASE WHEN octet_length(${name}) <= ? THEN ${name} END END AS value
      FROM ${quoted(table)} WHERE _rowid_ = CAST(? AS INTEGER)`;
    let row;
    try {
      row = this.#connection.get(sql, maxValueBytes, rowid);
    } catch (error) {
      if (isDamage(error)) return { type: 'damaged' };
      throw error;
    }
    if (row === undefined) throw new DatabaseError('NOT_FOUND', `there is no row ${rowid} in ${table}`);
    return parseCell(field(row, 'type'), field(row, 'size'), field(row, 'value'));
  }
}

function parseCell(type: unknown, size: unknown, value: unknown): ForeignCell {
  switch (type) {
    case 'null':
      return { type };
    case 'integer':
      if (typeof value === 'string') return { type, value: BigInt(value) };
      break;
    case 'real':
      if (typeof value === 'number') return { type, value };
      break;
    case 'text':
      if (typeof size !== 'number') break;
      return { type, sizeBytes: size, ...(typeof value === 'string' ? { value } : {}) };
    case 'blob':
      if (typeof size !== 'number') break;
      return { type, sizeBytes: size, ...(value instanceof Uint8Array ? { value } : {}) };
  }
  throw corrupt('a value is not what its type says');
}

function parseRowid(value: unknown): string {
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return value;
  throw corrupt('a rowid is not a number');
}

function isBeyond(rowid: string, previous: string, operator: '>' | '<'): boolean {
  return operator === '>' ? BigInt(rowid) > BigInt(previous) : BigInt(rowid) < BigInt(previous);
}

function isDamage(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'CORRUPT';
}

function field(row: unknown, name: string): unknown {
  return typeof row === 'object' && row !== null ? (row as Record<string, unknown>)[name] : undefined;
}

/** https://sqlite.org/lang_keywords.html: an identifier in double quotes, which are doubled in it. */
function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
