import { checkText, integerOf, parseColumns, textOf } from './columns.ts';
import type { Connection } from './connection.ts';
import { DatabaseError, invalid } from './errors.ts';
import { fileIdOf, fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';
import { foldText } from './fold-text.ts';

export interface TagCount {
  readonly tag: string;
  readonly fileCount: number;
}

/** In UTF-16 code units. */
export const MAX_TAG_LENGTH = 200;

/** Which file has which tags. Tags are compared exactly, and go with their file. */
export class TagTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Tags a file; `false` when it had the tag. Throws `CONSTRAINT` when there is no such file. */
  add(id: FileId, tag: string): boolean {
    if (tag === '' || tag.length > MAX_TAG_LENGTH)
      throw invalid(`a tag has 1 to ${String(MAX_TAG_LENGTH)} characters`);
    const bytes = fileIdToBytes(id);
    const sql = `INSERT INTO file_tags (file_key, tag) SELECT file_key, ? FROM files WHERE id = ?
      ON CONFLICT DO NOTHING`;
    if (this.#connection.run(sql, checkText(tag, 'the tag'), bytes) > 0) return true;
    if (this.#connection.get('SELECT 1 FROM files WHERE id = ?', bytes) !== undefined) return false;
    throw new DatabaseError('CONSTRAINT', `there is no file with the id ${id} to tag`);
  }

  /** `false` when the file did not have the tag. */
  remove(id: FileId, tag: string): boolean {
    const sql =
      'DELETE FROM file_tags WHERE file_key = (SELECT file_key FROM files WHERE id = ?) AND tag = ?';
    return this.#connection.run(sql, fileIdToBytes(id), tag) > 0;
  }

  /** The tags of one file, sorted. */
  of(id: FileId): string[] {
    const rows = this.#connection.all(
      'SELECT tag FROM file_tags WHERE file_key = (SELECT file_key FROM files WHERE id = ?) ORDER BY tag',
      fileIdToBytes(id),
    );
    return rows.map((row) => textOf(parseColumns(row)['tag'], 'file_tags.tag'));
  }

  /** The tags of many files, sorted; a file without tags has an empty list. */
  ofMany(ids: readonly FileId[]): Map<FileId, string[]> {
    const tags = new Map<FileId, string[]>(ids.map((id) => [id, []]));
    // Many vaults have no tags at all, and then 100,000 look-ups find nothing.
    if (this.#connection.get('SELECT 1 FROM file_tags LIMIT 1') === undefined) return tags;
    const sql = `
      SELECT json_each.value AS id, tag FROM json_each(?)
        CROSS JOIN files ON files.id = unhex(json_each.value)
        CROSS JOIN file_tags ON file_tags.file_key = files.file_key
      ORDER BY files.file_key, tag`;
    for (const row of this.#connection.all(sql, JSON.stringify([...tags.keys()]))) {
      const columns = parseColumns(row);
      const id = fileIdOf(columns['id'], 'files.id');
      tags.get(id)?.push(textOf(columns['tag'], 'file_tags.tag'));
    }
    return tags;
  }

  /** Every tag with the number of its files, sorted. */
  all(): TagCount[] {
    const rows = this.#connection.all(
      'SELECT tag, count(*) AS file_count FROM file_tags GROUP BY tag ORDER BY tag',
    );
    return rows.map((row) => {
      const columns = parseColumns(row);
      return {
        tag: textOf(columns['tag'], 'file_tags.tag'),
        fileCount: integerOf(columns['file_count'], 'count'),
      };
    });
  }

  /** The tags that contain a text of which `foldText` has made `foldedText`. */
  tagsContaining(foldedText: string): string[] {
    // Hops from tag to tag in the index instead of reading an entry for every tagged file.
    const rows = this.#connection.all(`
      WITH RECURSIVE distinct_tags (tag) AS (
        SELECT min(tag) FROM file_tags
        UNION ALL
        SELECT (SELECT min(tag) FROM file_tags WHERE tag > distinct_tags.tag) FROM distinct_tags WHERE tag IS NOT NULL
      )
      SELECT tag FROM distinct_tags WHERE tag IS NOT NULL`);
    const tags = rows.map((row) => textOf(parseColumns(row)['tag'], 'file_tags.tag'));
    return tags.filter((tag) => foldText(tag).includes(foldedText));
  }
}
