import { checkInteger, integerOf, parseColumns } from './columns.ts';
import type { Connection } from './connection.ts';
import { fileIdOf, fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';

export interface Tombstone {
  readonly id: FileId;
  readonly deletedAtMs: number;
}

/** Files whose row is gone and whose sealed file may still be there. */
export class TombstoneTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Does nothing when there is one already. */
  add(id: FileId, deletedAtMs: number): void {
    const sql = 'INSERT INTO tombstones (file_id, deleted_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING';
    this.#connection.run(sql, fileIdToBytes(id), checkInteger(deletedAtMs, 'the time of deletion'));
  }

  remove(id: FileId): boolean {
    return this.#connection.run('DELETE FROM tombstones WHERE file_id = ?', fileIdToBytes(id)) > 0;
  }

  has(id: FileId): boolean {
    return (
      this.#connection.get('SELECT 1 FROM tombstones WHERE file_id = ?', fileIdToBytes(id)) !== undefined
    );
  }

  list(): Tombstone[] {
    const sql = 'SELECT lower(hex(file_id)) AS id, deleted_at_ms FROM tombstones ORDER BY file_id';
    return this.#connection.all(sql).map((row) => {
      const columns = parseColumns(row);
      return {
        id: fileIdOf(columns['id'], 'tombstones.file_id'),
        deletedAtMs: integerOf(columns['deleted_at_ms'], 'tombstones.deleted_at_ms'),
      };
    });
  }
}
