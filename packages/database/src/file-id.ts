import { bytesToHex, hexToBytes } from '@coffer/crypto';
import { corrupt, invalid } from './errors.ts';

declare const fileIdBrand: unique symbol;

/** 16 random bytes as 32 lower-case hexadecimal digits. */
export type FileId = string & { readonly [fileIdBrand]: true };

export const FILE_ID_SIZE_BYTES = 16;

/** Throws `INVALID` unless the value is 32 lower-case hexadecimal digits. */
export function parseFileId(value: unknown): FileId {
  if (!isFileId(value)) throw invalid('a file id is 32 lower-case hexadecimal digits');
  return value;
}

/** A column with an id in hexadecimal digits; throws `CORRUPT`. */
export function fileIdOf(value: unknown, column: string): FileId {
  if (!isFileId(value)) throw corrupt(`the database is damaged: the column ${column} holds no file id`);
  return value;
}

/** Throws `INVALID` unless there are 16 bytes. */
export function fileIdFromBytes(bytes: Uint8Array): FileId {
  if (bytes.length !== FILE_ID_SIZE_BYTES) throw invalid('a file id is 16 bytes');
  return bytesToHex(bytes) as FileId;
}

export function fileIdToBytes(id: FileId): Uint8Array {
  return hexToBytes(parseFileId(id));
}

function isFileId(value: unknown): value is FileId {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}
