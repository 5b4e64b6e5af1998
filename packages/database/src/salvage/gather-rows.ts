import type { Connection } from '../connection.ts';
import type { SqlValue } from '../driver.ts';
import { DatabaseError } from '../errors.ts';
import { FILE_ID_SIZE_BYTES } from '../file-id.ts';
import { LOCK_BYTE_PAGE } from '../page-layout.ts';
import { cellsOf, isIndexPage } from './page-cells.ts';
import type { DamagedFile } from './damaged-file.ts';
import { decodeRecord } from './record.ts';

/** A row of one of our tables, in the order of its columns. */
interface FoundRow {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** What the index by path knows of a file; its row is on a page that can't be read. */
export interface IndexedFile {
  readonly fileKey: number;
  /** 16 bytes. */
  readonly id: Uint8Array;
  readonly folder: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly placement: string;
}

const INTO = {
  files: insertSql('files', 13),
  blobs: insertSql('file_blobs', 2),
  tags: insertSql('file_tags', 2),
  transfers: insertSql('file_transfers', 16),
  settings: insertSql('settings', 2),
} as const;

function insertSql(table: string, columns: number): string {
  return `INSERT OR IGNORE INTO ${table} VALUES (${Array.from({ length: columns }, () => '?').join(', ')})`;
}

/** Pages whose rows go into one transaction, and are then moved out of the log. */
const PAGES_PER_COMMIT = 512;

/**
 * Puts every row that can be read into a new database. Which table a row is of, its columns say: no two tables of the schema look alike. Tombstones look like an
 * index, and are left out: a sealed file that is not known any more goes to the quarantine, and is destroyed on no damaged database's word. Yields how many pages are done, and which of them since the last time could not be read.
 */
export function* gatherRows(
  connection: Connection,
  file: DamagedFile,
): Generator<{ readonly pagesDone: number; readonly unreadable: readonly number[] }, void> {
  for (let first = 1; first <= file.pageCount; first += PAGES_PER_COMMIT) {
    const last = Math.min(first + PAGES_PER_COMMIT - 1, file.pageCount);
    const unreadable: number[] = [];
    connection.transaction(() => {
      for (let number = first; number <= last; number += 1) {
        const isRead = putRows(connection, file, number) && !file.isOutdated(number);
        if (!isRead && number !== LOCK_BYTE_PAGE) unreadable.push(number);
      }
    });
    connection.pragma('wal_checkpoint(TRUNCATE)');
    yield { pagesDone: last, unreadable };
  }
}

/** `false` when the page can't be read. */
function putRows(connection: Connection, file: DamagedFile, number: number): boolean {
  const page = file.read(number);
  if (page === undefined) return false;
  for (const { rowid, payload } of cellsOf(page, number, (each) => file.read(each))) {
    const values = payload === undefined ? undefined : decodeRecord(payload);
    const row = values === undefined ? undefined : rowOf(rowid, values);
    if (row !== undefined) put(connection, row);
  }
  return true;
}

/** What breaks a rule of the schema is no row that was ever stored. */
function put(connection: Connection, { sql, values }: FoundRow): void {
  try {
    connection.run(sql, ...values);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== 'CONSTRAINT') throw error;
  }
}

function rowOf(rowid: number | undefined, values: readonly SqlValue[]): FoundRow | undefined {
  const [first, second] = values;
  if (rowid === undefined) {
    if (values.length !== 2 || typeof second !== 'string') return undefined;
    if (typeof first === 'number') return { sql: INTO.tags, values };
    return typeof first === 'string' ? { sql: INTO.settings, values } : undefined;
  }
  if (values.length === 16) return { sql: INTO.transfers, values };
  // In the place of its row id a row has NULL.
  if (first !== null) return undefined;
  const rest = values.slice(1);
  if (values.length === 13) return { sql: INTO.files, values: [rowid, ...rest] };
  return values.length === 2 && second instanceof Uint8Array
    ? { sql: INTO.blobs, values: [rowid, second] }
    : undefined;
}

/** The files that the index by path knows and no row that was found: what was on a page that can't be read. */
export function* filesInIndexOnly(connection: Connection, file: DamagedFile): Generator<IndexedFile, void> {
  for (let number = 1; number <= file.pageCount; number += 1) {
    const page = file.read(number);
    if (page === undefined || !isIndexPage(page)) continue;
    for (const { payload } of cellsOf(page, number, (each) => file.read(each))) {
      const values = payload === undefined ? undefined : decodeRecord(payload);
      const entry = values === undefined ? undefined : indexedFileOf(values);
      if (entry === undefined) continue;
      const known = connection.get(
        'SELECT 1 FROM files WHERE file_key = ? OR id = ?',
        entry.fileKey,
        entry.id,
      );
      if (known === undefined) yield entry;
    }
  }
}

/** Columns of `files_by_path`, and the key of the row. */
function indexedFileOf(values: readonly SqlValue[]): IndexedFile | undefined {
  if (values.length !== 11) return undefined;
  const [folder, name, id, , mimeType, sizeBytes, createdAtMs, modifiedAtMs, placement, , fileKey] = values;
  const isOne =
    typeof folder === 'string' &&
    typeof name === 'string' &&
    id instanceof Uint8Array &&
    id.length === FILE_ID_SIZE_BYTES &&
    typeof mimeType === 'string' &&
    typeof sizeBytes === 'number' &&
    typeof createdAtMs === 'number' &&
    typeof modifiedAtMs === 'number' &&
    typeof placement === 'string' &&
    typeof fileKey === 'number';
  return isOne
    ? { fileKey, id, folder, name, mimeType, sizeBytes, createdAtMs, modifiedAtMs, placement }
    : undefined;
}
