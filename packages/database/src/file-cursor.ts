import type { SqlValue } from './driver.ts';
import { invalid } from './errors.ts';
import { parseFileId } from './file-id.ts';
import type { FileRow } from './file-row.ts';

export const FILE_SORTS = ['path', 'name', 'size', 'created', 'modified'] as const;
export type FileSort = (typeof FILE_SORTS)[number];

/** What a row is sorted by; the id comes last, so that no two rows are equal. */
type SortKey = readonly (string | number)[];

/** A path of 4 KiB and a name of 1 KiB, each character escaped in JSON, in base64. */
const MAX_CURSOR_LENGTH = 65_536;

const KEY_TYPES: Readonly<Record<FileSort, readonly ('string' | 'number')[]>> = {
  path: ['string', 'string', 'string'],
  name: ['string', 'string'],
  size: ['number', 'string'],
  created: ['number', 'string'],
  modified: ['number', 'string'],
};

function sortKeyOf(row: FileRow, sort: FileSort): SortKey {
  switch (sort) {
    case 'path':
      return [row.folder, row.name, row.id];
    case 'name':
      return [row.name, row.id];
    case 'size':
      return [row.sizeBytes, row.id];
    case 'created':
      return [row.createdAtMs, row.id];
    case 'modified':
      return [row.modifiedAtMs, row.id];
  }
}

/** The place after `row` in this order: base64url of a JSON array `[sort, descending, ...key]`. */
export function encodeCursor(row: FileRow, sort: FileSort, descending: boolean): string {
  return Buffer.from(JSON.stringify([sort, descending, ...sortKeyOf(row, sort)])).toString('base64url');
}

/** Reads a cursor back into SQL values; throws `INVALID` unless it was made for this very order. */
export function decodeCursor(cursor: string, sort: FileSort, descending: boolean): SqlValue[] {
  const parts = parseJsonArray(cursor);
  const [cursorSort, cursorDescending, ...key] = parts;
  if (cursorSort !== sort || cursorDescending !== descending)
    throw invalid('the cursor belongs to another sort order');
  const types = KEY_TYPES[sort];
  if (key.length !== types.length) throw badCursor();
  return key.map((value, index) => {
    if (typeof value === 'number' && types[index] === 'number' && Number.isSafeInteger(value)) return value;
    if (typeof value !== 'string' || types[index] !== 'string') throw badCursor();
    return index === types.length - 1 ? Buffer.from(parseFileId(value), 'hex') : value;
  });
}

function parseJsonArray(cursor: string): unknown[] {
  if (cursor.length > MAX_CURSOR_LENGTH || !/^[\w-]+$/.test(cursor)) throw badCursor();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw badCursor();
  }
  if (!Array.isArray(value)) throw badCursor();
  return value;
}

function badCursor(): Error {
  return invalid('the cursor is not one of this listing');
}
