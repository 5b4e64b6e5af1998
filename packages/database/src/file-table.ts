import { bytesOf, countOf, integerOf, parseColumns, textOf } from './columns.ts';
import type { Connection } from './connection.ts';
import type { SqlValue } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { encodeCursor } from './file-cursor.ts';
import { FILE_ID_SIZE_BYTES, fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';
import { limitOf, sortOf } from './file-query.ts';
import type { FileQuery } from './file-query.ts';
import {
  CONDITIONS,
  FILE_COLUMNS,
  checkFileName,
  checkFolder,
  fileRowValues,
  parseFileRow,
} from './file-row.ts';
import type { Condition, FileRow, Placement } from './file-row.ts';
import { foldText } from './fold-text.ts';
import { READABLE_SOURCE, selectFiles } from './select-files.ts';
import type { QueryFacts } from './select-files.ts';
import { findReadable, isCorrupt, surveyFiles } from './survey-files.ts';
import type { FileName, SurveyedFile } from './survey-files.ts';
import type { TagTable } from './tag-table.ts';

export interface FilePage {
  readonly rows: FileRow[];
  /** For the next page; `undefined` at the end. */
  readonly nextCursor: string | undefined;
}

/** A page of what can be read of a damaged table. */
export interface ReadableFilePage extends FilePage {
  /** In the folder that was asked for: whether the rest of the query would hold can't be told. */
  readonly lost: readonly FileName[];
  /** `false` where there may be more of both. */
  readonly isComplete: boolean;
}

/** All of it must hold. */
export interface FileFilter {
  readonly placement?: Placement;
  readonly condition?: Condition;
}

export interface FolderSummary {
  /** The whole path. */
  readonly folder: string;
  /** In it and in everything below it. */
  readonly fileCount: number;
  readonly sizeBytes: number;
}

const SELECT = `SELECT ${FILE_COLUMNS} FROM files`;
const ITERATION_PAGE_ROWS = 1000;
const RARE_ROWS = 2000;

/** Files' metadata, and the bytes of small ones in a table of their own. (folder, name) need not be unique. */
export class FileTable {
  readonly #connection: Connection;
  readonly #facts: QueryFacts;

  constructor(connection: Connection, tags: TagTable) {
    this.#connection = connection;
    this.#facts = {
      tagsContaining: (foldedText) => tags.tagsContaining(foldedText),
      isRare: ({ sql, parameters }) =>
        countOf(connection.get(`SELECT count(*) FROM (${sql} LIMIT ${String(RARE_ROWS)})`, ...parameters)) <
        RARE_ROWS,
    };
  }

  /** Throws `EXISTS` when the id is taken. */
  insert(row: FileRow): void {
    const sql = `
      INSERT INTO files (id, folder, name, mime_type, size_bytes, sha256, placement, condition,
        created_at_ms, modified_at_ms, transfer_id, folded_name)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;
    if (this.#connection.run(sql, ...fileRowValues(row)) === 0) throw exists(row.id);
  }

  /** The bytes of a file whose row is there. Throws `EXISTS` when it has some already, `CONSTRAINT` when there is no such file. */
  insertBlob(id: FileId, bytes: Uint8Array): void {
    const sql = `INSERT INTO file_blobs (file_key, bytes) SELECT file_key, ? FROM files WHERE id = ?
      ON CONFLICT (file_key) DO NOTHING`;
    if (this.#connection.run(sql, bytes, fileIdToBytes(id)) > 0) return;
    throw this.find(id) === undefined ? noSuchFile(id) : exists(id);
  }

  getBlob(id: FileId): Uint8Array | undefined {
    const sql = `SELECT bytes FROM files CROSS JOIN file_blobs ON file_blobs.file_key = files.file_key WHERE files.id = ?`;
    const row = this.#get(sql, fileIdToBytes(id));
    return row === undefined ? undefined : bytesOf(parseColumns(row)['bytes'], 'file_blobs.bytes');
  }

  find(id: FileId): FileRow | undefined {
    const row = this.#get(`${SELECT} WHERE files.id = ?`, fileIdToBytes(id));
    return row === undefined ? undefined : parseFileRow(row);
  }

  /** Of the files that are there the one that was added last. */
  findNewest(): FileRow | undefined {
    // A new key is greater than every one that is there.
    const row = this.#get(`${SELECT} ORDER BY files.file_key DESC LIMIT 1`);
    return row === undefined ? undefined : parseFileRow(row);
  }

  /** Throws `NOT_FOUND`. */
  get(id: FileId): FileRow {
    const row = this.find(id);
    if (row === undefined) throw notFound(id);
    return row;
  }

  /** All files of this name in this folder, by id. */
  findByPath(folder: string, name: string): FileRow[] {
    const sql = `${SELECT} WHERE files.folder = ? AND files.name = ? ORDER BY files.id`;
    return this.#all(sql, folder, name).map(parseFileRow);
  }

  /** Files of this name anywhere, by id. */
  findByName(name: string, limit: number): FileRow[] {
    // Hops from folder to folder in the index: there are fewer folders than files, and an index of names would cost every new file.
    const sql = `
      WITH RECURSIVE folders (folder) AS (
        SELECT min(folder) FROM files
        UNION ALL
        SELECT (SELECT min(folder) FROM files WHERE folder > folders.folder) FROM folders WHERE folder IS NOT NULL
      )
      SELECT ${FILE_COLUMNS} FROM folders
        CROSS JOIN files INDEXED BY files_by_path ON files.folder = folders.folder AND files.name = ?
      ORDER BY files.id LIMIT ?`;
    return this.#all(sql, name, limitOf({ limit })).map(parseFileRow);
  }

  /** Files whose id begins with these lower-case hexadecimal digits. */
  findByIdPrefix(prefix: string, limit: number): FileRow[] {
    const digits = FILE_ID_SIZE_BYTES * 2;
    if (!/^[0-9a-f]+$/.test(prefix) || prefix.length > digits)
      throw invalid('an id prefix is 1 to 32 hexadecimal digits');
    const lowest = Buffer.from(prefix.padEnd(digits, '0'), 'hex');
    const highest = Buffer.from(prefix.padEnd(digits, 'f'), 'hex');
    const sql = `${SELECT} WHERE files.id BETWEEN ? AND ? ORDER BY files.id LIMIT ?`;
    return this.#all(sql, lowest, highest, limitOf({ limit })).map(parseFileRow);
  }

  /** Removes the row, its bytes and its tags; `false` when there is no such file. */
  remove(id: FileId): boolean {
    return this.#connection.run('DELETE FROM files WHERE id = ?', fileIdToBytes(id)) > 0;
  }

  /** Throws `NOT_FOUND`. */
  rename(id: FileId, folder: string, name: string): void {
    const values: SqlValue[] = [checkFolder(folder), checkFileName(name), foldText(name)];
    const sql = 'UPDATE files SET folder = ?, name = ?, folded_name = ? WHERE id = ?';
    if (this.#connection.run(sql, ...values, fileIdToBytes(id)) === 0) throw notFound(id);
  }

  /** Throws `NOT_FOUND`. */
  setCondition(id: FileId, condition: Condition): void {
    if (!CONDITIONS.includes(condition)) throw invalid('the condition is ok, missing or damaged');
    if (
      this.#connection.run('UPDATE files SET condition = ? WHERE id = ?', condition, fileIdToBytes(id)) === 0
    ) {
      throw notFound(id);
    }
  }

  count(filter: FileFilter = {}): number {
    return this.#aggregate('count(*)', filter);
  }

  totalSizeBytes(filter: FileFilter = {}): number {
    return this.#aggregate('coalesce(sum(size_bytes), 0)', filter);
  }

  /** One page of files. Pages are found by key, so that a change between two of them never repeats or skips another file. */
  list(query: FileQuery = {}): FilePage {
    const { sql, parameters } = selectFiles(query, this.#facts);
    return pageOf(query, this.#all(sql, ...parameters));
  }

  /** The same where `list` throws `CORRUPT`: the rows that can be read, in the same pages. Throws it, too, when the tags that are asked for can't be read. */
  listReadable(query: FileQuery = {}): ReadableFilePage {
    const { fileKeys, lost, isComplete } = findReadable(this.#connection);
    let areTagsRead = true;
    const facts: QueryFacts = {
      tagsContaining: (foldedText) => {
        try {
          return this.#facts.tagsContaining(foldedText);
        } catch (error) {
          if (!isCorrupt(error)) throw error;
          areTagsRead = false;
          return [];
        }
      },
      isRare: () => false,
    };
    const { sql, parameters } = selectFiles(query, facts, fileKeys);
    const page = pageOf(query, this.#connection.all(sql, ...parameters));
    return {
      ...page,
      lost: lost.filter(({ folder }) => isInFolder(folder, query)),
      isComplete: isComplete && areTagsRead,
    };
  }

  /** Every file, in the order in which they were added, a page at a time: the table may be changed meanwhile. */
  *iterate(filter: FileFilter = {}): Generator<FileRow, void> {
    const { placement = null, condition = null } = filter;
    const sql = `SELECT files.file_key, ${FILE_COLUMNS} FROM files NOT INDEXED
      WHERE files.file_key > ? AND files.placement = coalesce(?, files.placement)
      AND files.condition = coalesce(?, files.condition) ORDER BY files.file_key LIMIT ?`;
    let after = 0;
    for (;;) {
      const rows = this.#connection.all(sql, after, placement, condition, ITERATION_PAGE_ROWS);
      for (const row of rows) yield parseFileRow(row);
      if (rows.length < ITERATION_PAGE_ROWS) return;
      after = integerOf(parseColumns(rows.at(-1))['file_key'], 'files.file_key');
    }
  }

  /** Every file, also those of damaged pages: for `check`. */
  survey(): Generator<SurveyedFile, void> {
    return surveyFiles(this.#connection);
  }

  /** Whether a file is in this folder or below it; the root always is there. */
  hasFolder(folder: string): boolean {
    if (folder === '') return true;
    const sql = 'SELECT 1 FROM files WHERE folder = ? OR (folder >= ? AND folder < ?) LIMIT 1';
    return this.#get(sql, folder, `${folder}/`, `${folder}0`) !== undefined;
  }

  /** The folders directly in this one, sorted: of the rows that can be read, where neither the index nor the whole table can be. */
  listFolders(parent: string): FolderSummary[] {
    const prefix = checkFolder(parent) === '' ? '' : `${parent}/`;
    const range = prefix === '' ? `folder > ''` : 'folder >= ? AND folder < ?';
    const sql = `SELECT folder, count(*) AS file_count, sum(size_bytes) AS size_bytes
      FROM files INDEXED BY files_by_path WHERE ${range} GROUP BY folder ORDER BY folder`;
    const children = new Map<string, FolderSummary>();
    for (const row of this.#allReadable(sql, ...(prefix === '' ? [] : [prefix, `${parent}0`]))) {
      const columns = parseColumns(row);
      const below = textOf(columns['folder'], 'files.folder').slice(prefix.length);
      const folder = prefix + (below.split('/', 1)[0] ?? '');
      const known = children.get(folder) ?? { folder, fileCount: 0, sizeBytes: 0 };
      children.set(folder, {
        folder,
        fileCount: known.fileCount + integerOf(columns['file_count'], 'count'),
        sizeBytes: known.sizeBytes + integerOf(columns['size_bytes'], 'sum'),
      });
    }
    // `a!b` sorts before `a/b`, so the order of children is not the order of paths.
    return [...children.values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.folder), Buffer.from(b.folder)),
    );
  }

  #get(sql: string, ...parameters: readonly SqlValue[]): unknown {
    return this.#despiteIndexes(sql, (each) => this.#connection.get(each, ...parameters));
  }

  #all(sql: string, ...parameters: readonly SqlValue[]): unknown[] {
    return this.#despiteIndexes(sql, (each) => this.#connection.all(each, ...parameters));
  }

  #allReadable(sql: string, ...parameters: readonly SqlValue[]): unknown[] {
    try {
      return this.#all(sql, ...parameters);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      const { fileKeys } = findReadable(this.#connection);
      const readable = sql.replace('files INDEXED BY files_by_path', READABLE_SOURCE);
      return this.#connection.all(readable, JSON.stringify(fileKeys), ...parameters);
    }
  }

  /** An index with a damaged page costs time and not files: the table is then asked without it. */
  #despiteIndexes<T>(sql: string, read: (sql: string) => T): T {
    try {
      return read(sql);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return read(sql.replaceAll(/\b(FROM|JOIN) files\b(?: INDEXED BY \w+)?/g, '$1 files NOT INDEXED'));
    }
  }

  #aggregate(expression: string, { placement, condition }: FileFilter): number {
    const given = Object.entries({ placement, condition }).filter(([, value]) => value !== undefined);
    // Without a condition SQLite counts entries of the smallest index.
    const where = given.length === 0 ? '' : `WHERE ${given.map(([column]) => `${column} = ?`).join(' AND ')}`;
    const values = given.map(([, value]) => value ?? null);
    return countOf(this.#get(`SELECT ${expression} FROM files ${where}`, ...values));
  }
}

function pageOf(query: FileQuery, found: unknown[]): FilePage {
  const more = found.length > limitOf(query);
  if (more) found.pop();
  const rows = found.map(parseFileRow);
  const last = rows.at(-1);
  const cursor =
    more && last !== undefined ? encodeCursor(last, sortOf(query), query.descending ?? false) : undefined;
  return { rows, nextCursor: cursor };
}

function isInFolder(folder: string, { folder: wanted, recursive = false }: FileQuery): boolean {
  if (wanted === undefined || folder === wanted) return true;
  return recursive && (wanted === '' || folder.startsWith(`${wanted}/`));
}

function notFound(id: FileId): DatabaseError {
  return new DatabaseError('NOT_FOUND', `there is no file with the id ${id}`);
}

function noSuchFile(id: FileId): DatabaseError {
  return new DatabaseError('CONSTRAINT', `there is no file with the id ${id} to add to`);
}

function exists(id: FileId): DatabaseError {
  return new DatabaseError('EXISTS', `there is a file with the id ${id} already`);
}
