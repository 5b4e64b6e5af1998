import { checkInteger, checkText } from './columns.ts';
import type { SqlValue } from './driver.ts';
import { invalid } from './errors.ts';
import { FILE_SORTS, decodeCursor } from './file-cursor.ts';
import type { FileSort } from './file-cursor.ts';
import { CONDITIONS, FILE_COLUMNS, PLACEMENTS, checkFolder } from './file-row.ts';
import type { Condition, Placement } from './file-row.ts';
import { foldText } from './fold-text.ts';

export const DEFAULT_LIMIT = 1000;
export const MAX_LIMIT = 10_000;
export const MAX_TEXT_LENGTH = 1000;

/** Which files, in which order. Everything given must hold. */
export interface FileQuery {
  /** Files directly in this folder; `''` is the root. */
  readonly folder?: string;
  /** Files in the folders below it, too. */
  readonly recursive?: boolean;
  readonly tag?: string;
  /** `image/png`, or `image/*` for all of a kind. */
  readonly mimeType?: string;
  /** A part of the name or of a tag, taken literally, without regard to case. */
  readonly text?: string;
  /** Inclusive. */
  readonly createdSinceMs?: number;
  /** Inclusive. */
  readonly createdUntilMs?: number;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  readonly placement?: Placement;
  readonly condition?: Condition;
  /** `path` (folder, then name; by code points) when not given. Equal rows are ordered by id. */
  readonly sort?: FileSort;
  readonly descending?: boolean;
  /** 1 to 10,000; 1,000 when not given. */
  readonly limit?: number;
  /** `nextCursor` of the page before, with the same filters and order. */
  readonly cursor?: string;
}

export interface SqlQuery {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** What the builder has to ask the database before it can choose a plan. */
export interface TagFacts {
  /** The tags that contain this folded text. */
  tagsContaining(foldedText: string): readonly string[];
  /** Whether so few files have the tag that it is best to begin with them. */
  isRare(tag: string): boolean;
}

const COLUMNS_OF_SORT: Readonly<Record<FileSort, readonly string[]>> = {
  path: ['files.folder', 'files.name', 'files.id'],
  name: ['files.name', 'files.id'],
  size: ['files.size_bytes', 'files.id'],
  created: ['files.created_at_ms', 'files.id'],
  modified: ['files.modified_at_ms', 'files.id'],
};

export function limitOf(query: FileQuery): number {
  const limit = checkInteger(query.limit ?? DEFAULT_LIMIT, 'the limit', 1);
  if (limit > MAX_LIMIT) throw invalid(`the limit is at most ${String(MAX_LIMIT)}`);
  return limit;
}

export function sortOf(query: FileQuery): FileSort {
  const sort = query.sort ?? 'path';
  if (!FILE_SORTS.includes(sort)) throw invalid(`files cannot be sorted by ${sort as string}`);
  return sort;
}

/** One page and one row more, which tells whether there is a next one. Throws `INVALID` for what cannot be a query. */
export function selectFiles(query: FileQuery, tags: TagFacts): SqlQuery {
  const sort = sortOf(query);
  const descending = query.descending ?? false;
  const where = new Where();
  let from = 'files';

  if (query.tag !== undefined && tags.isRare(query.tag)) {
    // CROSS JOIN fixes the order of the loops: https://sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join
    from = 'file_tags CROSS JOIN files ON files.id = file_tags.file_id';
    where.add('file_tags.tag = ?', checkText(query.tag, 'the tag'));
  } else {
    // Without statistics the planner may prefer to sort everything for the first page.
    if (sort === 'path' || (query.folder !== undefined && query.folder !== ''))
      from += ' INDEXED BY files_by_path';
    if (query.tag !== undefined) {
      const tagged =
        'EXISTS (SELECT 1 FROM file_tags WHERE file_tags.file_id = files.id AND file_tags.tag = ?)';
      where.add(tagged, checkText(query.tag, 'the tag'));
    }
  }
  addFolder(where, query);
  addText(where, query, tags);
  addColumns(where, query);

  const columns = COLUMNS_OF_SORT[sort];
  if (query.cursor !== undefined) {
    const key = decodeCursor(query.cursor, sort, descending);
    const places = key.map(() => '?').join(', ');
    where.add(`(${columns.join(', ')}) ${descending ? '<' : '>'} (${places})`, ...key);
  }
  const order = columns.map((column) => (descending ? `${column} DESC` : column)).join(', ');
  return {
    sql: `SELECT ${FILE_COLUMNS} FROM ${from} ${where.clause()} ORDER BY ${order} LIMIT ?`,
    parameters: [...where.parameters, limitOf(query) + 1],
  };
}

function addFolder(where: Where, { folder, recursive }: FileQuery): void {
  if (folder === undefined) return;
  checkFolder(folder);
  if (recursive !== true) {
    where.add('files.folder = ?', folder);
  } else if (folder !== '') {
    // One range for the index: between a folder and what is below it only names like `folder!` sort; '0' follows '/'.
    where.add('files.folder >= ? AND files.folder < ?', folder, `${folder}0`);
    where.add('(files.folder = ? OR files.folder >= ?)', folder, `${folder}/`);
  }
}

function addText(where: Where, { text }: FileQuery, tags: TagFacts): void {
  if (text === undefined || text === '') return;
  if (text.length > MAX_TEXT_LENGTH)
    throw invalid(`a search text has at most ${String(MAX_TEXT_LENGTH)} characters`);
  const folded = foldText(checkText(text, 'the search text'));
  const matching = tags.tagsContaining(folded);
  if (matching.length === 0) {
    where.add('instr(files.folded_name, ?) > 0', folded);
    return;
  }
  where.add(
    `(instr(files.folded_name, ?) > 0 OR files.id IN (
       SELECT file_id FROM file_tags WHERE tag IN (SELECT value FROM json_each(?))))`,
    folded,
    JSON.stringify(matching),
  );
}

function addColumns(where: Where, query: FileQuery): void {
  const { mimeType, placement, condition } = query;
  if (mimeType?.endsWith('/*') === true) {
    const kind = checkText(mimeType.slice(0, -2), 'the MIME type');
    where.add('files.mime_type >= ? AND files.mime_type < ?', `${kind}/`, `${kind}0`);
  } else if (mimeType !== undefined) {
    where.add('files.mime_type = ?', checkText(mimeType, 'the MIME type'));
  }
  where.addInteger('files.created_at_ms >= ?', query.createdSinceMs);
  where.addInteger('files.created_at_ms <= ?', query.createdUntilMs);
  where.addInteger('files.size_bytes >= ?', query.minSizeBytes);
  where.addInteger('files.size_bytes <= ?', query.maxSizeBytes);
  if (placement !== undefined) {
    if (!PLACEMENTS.includes(placement)) throw invalid('the placement is blob or sealed');
    where.add('files.placement = ?', placement);
  }
  if (condition !== undefined) {
    if (!CONDITIONS.includes(condition)) throw invalid('the condition is ok, missing or damaged');
    where.add('files.condition = ?', condition);
  }
}

class Where {
  readonly parameters: SqlValue[] = [];
  readonly #terms: string[] = [];

  add(term: string, ...parameters: SqlValue[]): void {
    this.#terms.push(term);
    this.parameters.push(...parameters);
  }

  addInteger(term: string, value: number | undefined): void {
    if (value !== undefined) this.add(term, checkInteger(value, 'a bound', Number.MIN_SAFE_INTEGER));
  }

  clause(): string {
    return this.#terms.length === 0 ? '' : `WHERE ${this.#terms.join(' AND ')}`;
  }
}
