import { corrupt, invalid } from './errors.ts';

/*
 * Parsers of single columns. A value that the schema does not allow means a damaged database, so all of them throw `CORRUPT`.
 */

export type Columns = Readonly<Record<string, unknown>>;

export function parseColumns(row: unknown): Columns {
  if (typeof row !== 'object' || row === null) throw corrupt('a row of the database is not a row');
  return row as Columns;
}

export function textOf(value: unknown, column: string): string {
  if (typeof value !== 'string') throw damagedColumn(column);
  return value;
}

export function optionalTextOf(value: unknown, column: string): string | undefined {
  return value === null ? undefined : textOf(value, column);
}

export function integerOf(value: unknown, column: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damagedColumn(column);
  return value;
}

/** The bytes as a plain `Uint8Array`: the driver's `Buffer` would behave differently in `slice`. */
export function bytesOf(value: unknown, column: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw damagedColumn(column);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Bytes that the statement made hexadecimal digits of. */
export function hexBytesOf(value: unknown, sizeBytes: number, column: string): Uint8Array {
  if (typeof value !== 'string' || value.length !== sizeBytes * 2) throw damagedColumn(column);
  const bytes = new Uint8Array(Buffer.from(value, 'hex'));
  if (bytes.length !== sizeBytes) throw damagedColumn(column);
  return bytes;
}

export function oneOf<T extends string>(value: unknown, allowed: readonly T[], column: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw damagedColumn(column);
  return found;
}

/** The single column of a row, as an integer: counts and sums. */
export function countOf(row: unknown): number {
  return integerOf(Object.values(parseColumns(row))[0], 'count');
}

/**
 * Checks a text that goes into a column: NUL would end it early in SQL functions, and a lone surrogate has no UTF-8 form and
 * would come back as another text. Throws `INVALID`.
 */
export function checkText(value: string, what: string): string {
  if (value.includes('\0') || !value.isWellFormed())
    throw invalid(`${what} has a NUL or is not well-formed Unicode`);
  return value;
}

/** Throws `INVALID` unless the number is a whole one from `minimum` up to 2^53 - 1. */
export function checkInteger(value: number, what: string, minimum = 0): number {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw invalid(`${what} is a whole number from ${String(minimum)} on, not ${String(value)}`);
  }
  return value;
}

function damagedColumn(column: string): Error {
  return corrupt(`the database is damaged: the column ${column} holds what it never may`);
}
