import { RESUMABLE_STATES, canTransition } from '@coffer/transfer-models';
import type { TransferDirection, TransferState } from '@coffer/transfer-models';
import { checkInteger } from './columns.ts';
import type { Connection } from './connection.ts';
import type { SqlValue } from './driver.ts';
import { DatabaseError, invalid } from './errors.ts';
import { fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';
import { limitOf } from './file-query.ts';
import { TRANSFER_COLUMNS, checkTransferText, newTransferValues, parseTransferRow } from './transfer-row.ts';
import type { NewTransfer, TransferFailure, TransferRow } from './transfer-row.ts';

export interface TransferQuery {
  readonly state?: TransferState;
  readonly direction?: TransferDirection;
  /** 1 to 10,000; 1,000 when not given. */
  readonly limit?: number;
}

const SELECT = `SELECT ${TRANSFER_COLUMNS} FROM file_transfers`;

/** A transfer goes on where it stopped while its state allows it and its failure, if any, was not final. */
const RESUMABLE = 'state IN (SELECT value FROM json_each(?)) AND coalesce(error_retryable, 1) = 1';
const RESUMABLE_PARAMETER = JSON.stringify(RESUMABLE_STATES);

/**
 * Transfers and their states. Each change reads the state, holds it against the transition table and writes, in one transaction, so
 * that no two changes can both be right about a state that only one of them found. Every method that changes a
 * transfer throws `NOT_FOUND` when there is none.
 */
export class TransferTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** A new transfer, `pending`. Throws `EXISTS`. */
  create(transfer: NewTransfer, nowMs: number = Date.now()): TransferRow {
    const sql = `
      INSERT INTO file_transfers (id, direction, peer, name, mime_type, size_bytes, sha256, chunk_size_bytes, file_id,
        created_at_ms, updated_at_ms, state, verified_bytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', 0) ON CONFLICT (id) DO NOTHING`;
    return this.#connection.transaction(() => {
      if (this.#connection.run(sql, ...newTransferValues(transfer, nowMs)) === 0) {
        throw new DatabaseError('EXISTS', `there is a transfer with the id ${transfer.id} already`);
      }
      return this.get(transfer.id);
    });
  }

  find(id: string): TransferRow | undefined {
    const row = this.#connection.get(`${SELECT} WHERE id = ?`, id);
    return row === undefined ? undefined : parseTransferRow(row);
  }

  /** Throws `NOT_FOUND`. */
  get(id: string): TransferRow {
    const row = this.find(id);
    if (row === undefined) throw new DatabaseError('NOT_FOUND', `there is no transfer with the id ${id}`);
    return row;
  }

  /** Newest first. */
  list(query: TransferQuery = {}): TransferRow[] {
    const { state = null, direction = null, limit } = query;
    const sql = `${SELECT} WHERE state = coalesce(?, state) AND direction = coalesce(?, direction)
      ORDER BY created_at_ms DESC, id DESC LIMIT ?`;
    const rows = this.#connection.all(sql, state, direction, limitOf(limit === undefined ? {} : { limit }));
    return rows.map(parseTransferRow);
  }

  /** Transfers that can go on, oldest first: what a restart finds to do. */
  listResumable(): TransferRow[] {
    const sql = `${SELECT} WHERE ${RESUMABLE} ORDER BY created_at_ms, id`;
    return this.#connection.all(sql, RESUMABLE_PARAMETER).map(parseTransferRow);
  }

  /** Whether a transfer that can go on fills this file. */
  isResumableFile(id: FileId): boolean {
    const sql = `SELECT 1 FROM file_transfers WHERE file_id = ? AND ${RESUMABLE} LIMIT 1`;
    return this.#connection.get(sql, fileIdToBytes(id), RESUMABLE_PARAMETER) !== undefined;
  }

  /** To `active`. Throws `ILLEGAL_TRANSITION`, as all of these do. */
  activate(id: string, nowMs: number = Date.now()): TransferRow {
    return this.#move(id, 'active', nowMs);
  }

  pause(id: string, nowMs: number = Date.now()): TransferRow {
    return this.#move(id, 'paused', nowMs);
  }

  /** From `paused`, or from a failure that was not final, to `active`. */
  resume(id: string, nowMs: number = Date.now()): TransferRow {
    return this.#move(id, 'active', nowMs, (row) => {
      if (row.state === 'pending') throw illegal(row, 'resumed');
    });
  }

  /** Throws `INVALID` unless every byte is verified. `result` is what was learnt meanwhile. */
  complete(
    id: string,
    result: { fileId?: FileId; sha256?: Uint8Array } = {},
    nowMs: number = Date.now(),
  ): TransferRow {
    const { fileId, sha256 } = result;
    if (sha256 !== undefined && sha256.length !== 32) throw invalid('a SHA-256 is 32 bytes');
    return this.#move(id, 'complete', nowMs, (row) => {
      if (row.verifiedBytes !== row.sizeBytes)
        throw invalid(`the transfer ${id} has bytes that are not verified`);
      const sql =
        'UPDATE file_transfers SET file_id = coalesce(?, file_id), sha256 = coalesce(?, sha256) WHERE id = ?';
      this.#connection.run(sql, fileId === undefined ? null : fileIdToBytes(fileId), sha256 ?? null, id);
    });
  }

  cancel(id: string, nowMs: number = Date.now()): TransferRow {
    return this.#move(id, 'cancelled', nowMs);
  }

  fail(id: string, failure: TransferFailure, nowMs: number = Date.now()): TransferRow {
    checkTransferText(failure.code, 'the code of the failure');
    checkTransferText(failure.message, 'the message of the failure');
    return this.#move(id, 'failed', nowMs, undefined, failure);
  }

  /**
   * Moves the verified frontier of an `active` transfer. Throws `INVALID` when it would go back or beyond the end, and
   * `ILLEGAL_TRANSITION` in any other state.
   */
  recordProgress(id: string, verifiedBytes: number, nowMs: number = Date.now()): void {
    checkInteger(verifiedBytes, 'the progress');
    this.#connection.transaction(() => {
      const row = this.get(id);
      if (row.state !== 'active') throw illegal(row, 'moved on');
      if (verifiedBytes < row.verifiedBytes)
        throw invalid(`the progress of the transfer ${id} never goes back`);
      if (verifiedBytes > row.sizeBytes)
        throw invalid(`the transfer ${id} has no more than ${String(row.sizeBytes)} bytes`);
      const sql = 'UPDATE file_transfers SET verified_bytes = ?, updated_at_ms = ? WHERE id = ?';
      this.#connection.run(sql, verifiedBytes, checkInteger(nowMs, 'the time'), id);
    });
  }

  /** Forgets a transfer; `false` when there was none. */
  remove(id: string): boolean {
    return this.#connection.run('DELETE FROM file_transfers WHERE id = ?', id) > 0;
  }

  #move(
    id: string,
    to: TransferState,
    nowMs: number,
    check?: (row: TransferRow) => void,
    failure?: TransferFailure,
  ): TransferRow {
    return this.#connection.transaction(() => {
      const row = this.get(id);
      const final = row.error?.retryable === false && to === 'active';
      if (!canTransition(row.state, to) || final) throw illegal(row, to);
      check?.(row);
      const values: SqlValue[] = [
        to,
        checkInteger(nowMs, 'the time'),
        failure?.code ?? null,
        failure?.message ?? null,
      ];
      const retryable = failure === undefined ? null : Number(failure.retryable);
      const sql = `UPDATE file_transfers SET state = ?, updated_at_ms = ?, error_code = ?, error_message = ?,
        error_retryable = ? WHERE id = ?`;
      this.#connection.run(sql, ...values, retryable, id);
      return this.get(id);
    });
  }
}

function illegal(row: TransferRow, to: string): DatabaseError {
  return new DatabaseError(
    'ILLEGAL_TRANSITION',
    `the transfer ${row.id} is ${row.state} and cannot become ${to}`,
  );
}
