import { checkInteger, checkText } from './columns.ts';
import type { SqlValue } from './driver.ts';
import { invalid } from './errors.ts';
import { decodeCursor } from './file-cursor.ts';
import type { FileSort } from './file-cursor.ts';
import { limitOf, sortOf } from './file-query.ts';
import type { FileQuery } from './file-query.ts';
import { CONDITIONS, FILE_COLUMNS, PLACEMENTS, checkFolder } from './file-row.ts';
import { foldText } from './fold-text.ts';

export interface SqlQuery {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** What has to be asked of the database before a plan can be chosen. */
export interface QueryFacts {
  /** The tags that contain this folded text. */
  tagsContaining(foldedText: string): readonly string[];
  /** Whether a selection has so few rows that sorting them for each page costs less than meeting them in order. */
  isRare(selection: SqlQuery): boolean;
}

/** In UTF-16 code units. */
const MAX_TEXT_LENGTH = 1000;

const SORT_COLUMNS: Readonly<Record<FileSort, readonly string[]>> = {
  path: ['files.folder', 'files.name', 'files.id'],
  name: ['files.name', 'files.id'],
  size: ['files.size_bytes', 'files.id'],
  created: ['files.created_at_ms', 'files.id'],
  modified: ['files.modified_at_ms', 'files.id'],
};

/** Nothing but these rows, whose keys are the one parameter, is looked at: no index, and no page that other rows are on. */
export const READABLE_SOURCE =
  'json_each(?) AS readable CROSS JOIN files NOT INDEXED ON files.file_key = readable.value';

/**
 * One page and one row more, which tells whether there is a next one. `fileKeys` are all that can be read of a damaged table. Throws `INVALID` for what cannot be a
 * query.
 */
export function selectFiles(query: FileQuery, facts: QueryFacts, fileKeys?: readonly number[]): SqlQuery {
  const sort = sortOf(query);
  const descending = query.descending ?? false;
  const where = new Where();
  addFolder(where, query);
  addText(where, query, facts);
  addColumns(where, query);
  const chosen = chooseSource(query, where, facts);
  const [source, ...given] = fileKeys === undefined ? [chosen] : [READABLE_SOURCE, JSON.stringify(fileKeys)];

  const columns = SORT_COLUMNS[sort];
  if (query.cursor !== undefined) {
    const key = decodeCursor(query.cursor, sort, descending);
    const places = key.map(() => '?').join(', ');
    where.add(`(${columns.join(', ')}) ${descending ? '<' : '>'} (${places})`, ...key);
  }
  const order = `ORDER BY ${columns.map((column) => (descending ? `${column} DESC` : column)).join(', ')}`;
  // What is sorted are keys, found in the index alone; whole rows are read for those of the page.
  const page = `SELECT files.file_key FROM ${source} ${where.clause()} ${order} LIMIT ?`;
  return {
    sql: `SELECT ${FILE_COLUMNS} FROM (${page}) AS page CROSS JOIN files ON files.file_key = page.file_key ${order}`,
    parameters: [...given, ...where.parameters, limitOf(query) + 1],
  };
}

/**
 * Without statistics, which would have to be kept up to date, SQLite's planner sometimes sorts 100,000 rows to return the first
 * thousand of them, or reads all of them to find three. So the index is chosen here.
 */
function chooseSource(query: FileQuery, where: Where, facts: QueryFacts): string {
  const { tag, condition } = query;
  if (tag !== undefined) {
    checkText(tag, 'the tag');
    if (facts.isRare({ sql: 'SELECT 1 FROM file_tags WHERE tag = ?', parameters: [tag] })) {
      where.add('file_tags.tag = ?', tag);
      // CROSS JOIN fixes the order of the loops: https://sqlite.org/optoverview.html#crossjoin
      return 'file_tags CROSS JOIN files ON files.file_key = file_tags.file_key';
    }
    where.add('files.file_key IN (SELECT file_key FROM file_tags WHERE tag = ?)', tag);
  }
  if (condition !== undefined && condition !== 'ok') {
    // A nearly empty index; the planner has to read its very condition to use it.
    where.add(`files.condition <> 'ok'`);
    return 'files INDEXED BY files_not_ok';
  }
  return 'files INDEXED BY files_by_path';
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

function addText(where: Where, { text }: FileQuery, facts: QueryFacts): void {
  if (text === undefined || text === '') return;
  if (text.length > MAX_TEXT_LENGTH)
    throw invalid(`a search text has at most ${String(MAX_TEXT_LENGTH)} characters`);
  const folded = foldText(checkText(text, 'the search text'));
  const matching = facts.tagsContaining(folded);
  if (matching.length === 0) {
    where.add('instr(files.folded_name, ?) > 0', folded);
    return;
  }
  where.add(
    `(instr(files.folded_name, ?) > 0 OR files.file_key IN (
       SELECT file_key FROM file_tags WHERE tag IN (SELECT value FROM json_each(?))))`,
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

  get isEmpty(): boolean {
    return this.#terms.length === 0;
  }

  clause(): string {
    return this.isEmpty ? '' : `WHERE ${this.#terms.join(' AND ')}`;
  }
}
