import { TRANSFER_DIRECTIONS, TRANSFER_STATES } from '@coffer/transfer-models';
import type { TransferDirection, TransferState } from '@coffer/transfer-models';
import {
  checkInteger,
  checkText,
  hexBytesOf,
  integerOf,
  oneOf,
  optionalTextOf,
  parseColumns,
  textOf,
} from './columns.ts';
import type { Columns } from './columns.ts';
import type { SqlValue } from './driver.ts';
import { corrupt, invalid } from './errors.ts';
import { fileIdOf, fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';

/** Why a transfer failed, in the words of whoever ran it. */
export interface TransferFailure {
  readonly code: string;
  readonly message: string;
  /** Whether it can be resumed. */
  readonly retryable: boolean;
}

/** What a transfer is about, known when it is created. */
export interface NewTransfer {
  readonly id: string;
  readonly direction: TransferDirection;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly chunkSizeBytes: number;
  /** Of the whole file, 32 bytes; a receiver may learn it last. */
  readonly sha256?: Uint8Array | undefined;
  /** Who is at the other end; not known yet for a ticket that anyone may redeem. */
  readonly peer?: string | undefined;
  /** The file that is sent, or whose sealed file is being filled. */
  readonly fileId?: FileId | undefined;
}

export interface TransferRow extends Required<NewTransfer> {
  readonly state: TransferState;
  /** Everything before it is verified and durable. It never goes back. */
  readonly verifiedBytes: number;
  /** Set in the state `failed` and only there. */
  readonly error: TransferFailure | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** In UTF-16 code units. */
const MAX_TRANSFER_TEXT_LENGTH = 4096;

export const TRANSFER_COLUMNS: string =
  'id, direction, state, peer, name, mime_type, size_bytes, hex(sha256) AS sha256, chunk_size_bytes, verified_bytes, ' +
  'lower(hex(file_id)) AS file_id, error_code, error_message, error_retryable, created_at_ms, updated_at_ms';

export function parseTransferRow(row: unknown): TransferRow {
  const columns = parseColumns(row);
  const sha256 = columns['sha256'];
  const fileId = columns['file_id'];
  return {
    id: textOf(columns['id'], 'file_transfers.id'),
    direction: oneOf(columns['direction'], TRANSFER_DIRECTIONS, 'file_transfers.direction'),
    state: oneOf(columns['state'], TRANSFER_STATES, 'file_transfers.state'),
    peer: optionalTextOf(columns['peer'], 'file_transfers.peer'),
    name: textOf(columns['name'], 'file_transfers.name'),
    mimeType: textOf(columns['mime_type'], 'file_transfers.mime_type'),
    sizeBytes: integerOf(columns['size_bytes'], 'file_transfers.size_bytes'),
    // hex() makes an empty text of NULL.
    sha256: sha256 === '' ? undefined : hexBytesOf(sha256, 32, 'file_transfers.sha256'),
    chunkSizeBytes: integerOf(columns['chunk_size_bytes'], 'file_transfers.chunk_size_bytes'),
    verifiedBytes: integerOf(columns['verified_bytes'], 'file_transfers.verified_bytes'),
    fileId: fileId === '' ? undefined : fileIdOf(fileId, 'file_transfers.file_id'),
    error: parseFailure(columns),
    createdAtMs: integerOf(columns['created_at_ms'], 'file_transfers.created_at_ms'),
    updatedAtMs: integerOf(columns['updated_at_ms'], 'file_transfers.updated_at_ms'),
  };
}

/** The values that do not change later, in the order of the INSERT in transfer-table.ts. */
export function newTransferValues(transfer: NewTransfer, nowMs: number): SqlValue[] {
  const { peer, sha256, fileId } = transfer;
  if (sha256 !== undefined && sha256.length !== 32) throw invalid('a SHA-256 is 32 bytes');
  if (!TRANSFER_DIRECTIONS.includes(transfer.direction)) throw invalid('the direction is send or receive');
  return [
    checkTransferText(transfer.id, 'the transfer id'),
    transfer.direction,
    peer === undefined ? null : checkTransferText(peer, 'the peer'),
    checkTransferText(transfer.name, 'the name'),
    checkTransferText(transfer.mimeType, 'the MIME type'),
    checkInteger(transfer.sizeBytes, 'the size'),
    sha256 ?? null,
    checkInteger(transfer.chunkSizeBytes, 'the size of a chunk', 1),
    fileId === undefined ? null : fileIdToBytes(fileId),
    checkInteger(nowMs, 'the time'),
    nowMs,
  ];
}

export function checkTransferText(value: string, what: string): string {
  if (value === '' || value.length > MAX_TRANSFER_TEXT_LENGTH) {
    throw invalid(`${what} has 1 to ${String(MAX_TRANSFER_TEXT_LENGTH)} characters`);
  }
  return checkText(value, what);
}

function parseFailure(columns: Columns): TransferFailure | undefined {
  const code = optionalTextOf(columns['error_code'], 'file_transfers.error_code');
  if (code === undefined) return undefined;
  const retryable = columns['error_retryable'];
  if (retryable !== 0 && retryable !== 1)
    throw corrupt('the database is damaged: a failed transfer does not say how');
  return {
    code,
    message: textOf(columns['error_message'], 'file_transfers.error_message'),
    retryable: retryable === 1,
  };
}
