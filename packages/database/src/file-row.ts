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
import type { SqlValue } from './driver.ts';
import { invalid } from './errors.ts';
import { fileIdOf, fileIdToBytes } from './file-id.ts';
import type { FileId } from './file-id.ts';
import { foldText } from './fold-text.ts';

export const PLACEMENTS = ['blob', 'sealed'] as const;
export type Placement = (typeof PLACEMENTS)[number];

export const CONDITIONS = ['ok', 'missing', 'damaged'] as const;
export type Condition = (typeof CONDITIONS)[number];

/** A file's metadata. The bytes are in `file_blobs` (`blob`) or in a sealed file on disk (`sealed`). */
export interface FileRow {
  readonly id: FileId;
  /** `/`-separated, `''` the root. */
  readonly folder: string;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  /** Of the plaintext, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly placement: Placement;
  readonly condition: Condition;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly transferId: string | undefined;
}

/** Bytes as hexadecimal digits: a listing takes half the time when the driver makes no buffers (measured on 100,000 rows). */
export const FILE_COLUMNS: string =
  'lower(hex(files.id)) AS id, files.folder, files.name, files.mime_type, files.size_bytes, hex(files.sha256) AS sha256, ' +
  'files.placement, files.condition, files.created_at_ms, files.modified_at_ms, files.transfer_id';

/** The largest distance from 1970 that a JavaScript date can have. */
const MAX_TIME_MS = 8_640_000_000_000_000;

export function parseFileRow(row: unknown): FileRow {
  const columns = parseColumns(row);
  return {
    id: fileIdOf(columns['id'], 'files.id'),
    folder: textOf(columns['folder'], 'files.folder'),
    name: textOf(columns['name'], 'files.name'),
    mimeType: textOf(columns['mime_type'], 'files.mime_type'),
    sizeBytes: integerOf(columns['size_bytes'], 'files.size_bytes'),
    sha256: hexBytesOf(columns['sha256'], 32, 'files.sha256'),
    placement: oneOf(columns['placement'], PLACEMENTS, 'files.placement'),
    condition: oneOf(columns['condition'], CONDITIONS, 'files.condition'),
    createdAtMs: integerOf(columns['created_at_ms'], 'files.created_at_ms'),
    modifiedAtMs: integerOf(columns['modified_at_ms'], 'files.modified_at_ms'),
    transferId: optionalTextOf(columns['transfer_id'], 'files.transfer_id'),
  };
}

/** The values of an INSERT: the columns of the table in their order. */
export function fileRowValues(row: FileRow): SqlValue[] {
  if (row.sha256.length !== 32) throw invalid('a SHA-256 is 32 bytes');
  return [
    fileIdToBytes(row.id),
    checkFolder(row.folder),
    checkFileName(row.name),
    checkText(row.mimeType, 'the MIME type'),
    checkInteger(row.sizeBytes, 'the size'),
    row.sha256,
    row.placement,
    row.condition,
    checkInteger(row.createdAtMs, 'the time of creation', -MAX_TIME_MS),
    checkInteger(row.modifiedAtMs, 'the time of modification', -MAX_TIME_MS),
    row.transferId === undefined ? null : checkText(row.transferId, 'the transfer id'),
    foldText(row.name),
  ];
}

export function checkFileName(name: string): string {
  if (name === '' || name.includes('/')) throw invalid('a file name is not empty and has no slash');
  return checkText(name, 'the file name');
}

/** A folder is `''` or parts joined by `/`, none of them empty. */
export function checkFolder(folder: string): string {
  if (folder !== '' && folder.split('/').includes('')) throw invalid('a folder has no empty parts');
  return checkText(folder, 'the folder');
}
