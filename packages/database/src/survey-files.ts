import { integerOf, oneOf, parseColumns, textOf } from './columns.ts';
import type { Connection } from './connection.ts';
import { DatabaseError } from './errors.ts';
import { parseFileId } from './file-id.ts';
import type { FileId } from './file-id.ts';
import { FILE_COLUMNS, PLACEMENTS, parseFileRow } from './file-row.ts';
import type { FileRow, Placement } from './file-row.ts';

/** What an index alone knows of a file. */
export interface FileName {
  readonly id: FileId;
  readonly folder: string;
  readonly name: string;
  readonly placement: Placement;
}

export interface SurveyedFile {
  /** What the table finds the row by. */
  readonly fileKey: number;
  readonly file: FileName;
  /** `undefined` when the page that it is on is damaged. */
  readonly row: FileRow | undefined;
}

const PAGE_ROWS = 1000;

/**
 * Every file in the order in which they were added, also of a table with damaged pages: from the first row on that can't be read they are found by the
 * index by path, one by one. Throws `CORRUPT` when that is damaged as well.
 */
export function* surveyFiles(connection: Connection): Generator<SurveyedFile, void> {
  const sql = `SELECT files.file_key, ${FILE_COLUMNS} FROM files NOT INDEXED WHERE files.file_key > ?
    ORDER BY files.file_key LIMIT ?`;
  let after = 0;
  for (;;) {
    let rows;
    try {
      rows = connection.all(sql, after, PAGE_ROWS);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      yield* surveyByIndex(connection, after);
      return;
    }
    for (const columns of rows) {
      const row = parseFileRow(columns);
      yield { fileKey: fileKeyOf(columns), file: row, row };
    }
    if (rows.length < PAGE_ROWS) return;
    after = fileKeyOf(rows.at(-1));
  }
}

/** What a survey finds: the keys of the rows that can be read, and what can't be. */
export interface Readable {
  readonly fileKeys: readonly number[];
  readonly lost: readonly FileName[];
  /** `false` where the survey could go no further: there may be more of both. */
  readonly isComplete: boolean;
}

export function findReadable(connection: Connection): Readable {
  const fileKeys: number[] = [];
  const lost: FileName[] = [];
  try {
    for (const { fileKey, file, row } of surveyFiles(connection)) {
      if (row === undefined) lost.push(file);
      else fileKeys.push(fileKey);
    }
    return { fileKeys, lost, isComplete: true };
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    return { fileKeys, lost, isComplete: false };
  }
}

function* surveyByIndex(connection: Connection, after: number): Generator<SurveyedFile, void> {
  // Nothing but what the index holds: the table is not touched.
  const sql = `SELECT file_key, lower(hex(id)) AS id, folder, name, placement FROM files INDEXED BY files_by_path
    WHERE file_key > ? ORDER BY file_key`;
  for (const entry of connection.all(sql, after)) {
    const columns = parseColumns(entry);
    const file = {
      id: parseFileId(columns['id']),
      folder: textOf(columns['folder'], 'files.folder'),
      name: textOf(columns['name'], 'files.name'),
      placement: oneOf(columns['placement'], PLACEMENTS, 'files.placement'),
    };
    const fileKey = fileKeyOf(entry);
    yield { fileKey, file, row: readRow(connection, fileKey) };
  }
}

function fileKeyOf(row: unknown): number {
  return integerOf(parseColumns(row)['file_key'], 'files.file_key');
}

function readRow(connection: Connection, fileKey: number): FileRow | undefined {
  try {
    const row = connection.get(
      `SELECT ${FILE_COLUMNS} FROM files NOT INDEXED WHERE files.file_key = ?`,
      fileKey,
    );
    return row === undefined ? undefined : parseFileRow(row);
  } catch (error) {
    if (isCorrupt(error)) return undefined;
    throw error;
  }
}

export function isCorrupt(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'CORRUPT';
}
