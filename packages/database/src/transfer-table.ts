import type { Connection } from './connection.ts';
import { fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';

export class TransferTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether a transfer that can go on writes to this file. */
  isResumableFile(id: FileId): boolean {
    const sql = `SELECT 1 FROM file_transfers WHERE file_id = ? AND (state IN ('pending', 'active', 'paused') OR error_retryable = 1)`;
    return this.#connection.get(sql, fileIdToBytes(id)) !== undefined;
  }
}
