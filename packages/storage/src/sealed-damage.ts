import type { CryptoError } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import type { Stats } from 'node:fs';
import { damaged } from './errors.ts';
import type { StorageError } from './errors.ts';

export interface SealedFileRef {
  readonly id: FileId;
  /** For messages. */
  readonly name: string;
  /** Of the plaintext, as the row has it. */
  readonly sizeBytes: number;
}

/** What is wrong with a sealed file, as its reader and `check` say it. */
export function damagedSegment(file: SealedFileRef, index: number, cause?: unknown): StorageError {
  return damaged(
    'SEGMENT_DAMAGED',
    `${file.name} is damaged: segment ${String(index)} is not authentic`,
    cause,
  );
}

export function cutOff(file: SealedFileRef, cause: unknown): StorageError {
  return damaged(
    'FILE_TRUNCATED',
    `${file.name} is damaged: its sealed file was cut off while it was read`,
    cause,
  );
}

/** `stats` is of what is in the place of the sealed file, if there is something. */
export function missing(file: SealedFileRef, stats: Stats | undefined, cause?: unknown): StorageError {
  const place = `files/${file.id}.enc`;
  const what =
    stats === undefined
      ? `its sealed file ${place} is missing`
      : `${kindOf(stats)} is in the place of its sealed file ${place}`;
  return damaged('FILE_MISSING', `${file.name} is lost: ${what}`, cause);
}

function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return 'a link';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

export function unreadable(file: SealedFileRef, cause: unknown): StorageError {
  return damaged(
    'FILE_UNREADABLE',
    `${file.name} is damaged: the disk cannot read its sealed file files/${file.id}.enc`,
    cause,
  );
}

export function truncated(file: SealedFileRef, size: number, expected: number): StorageError {
  const sizes = `${String(size)} bytes instead of ${String(expected)}`;
  return damaged('FILE_TRUNCATED', `${file.name} is damaged: its sealed file is cut off (${sizes})`);
}

export function extended(file: SealedFileRef, size: number, expected: number): StorageError {
  const sizes = `${String(size)} bytes instead of ${String(expected)}`;
  return damaged('FILE_EXTENDED', `${file.name} is damaged: its sealed file has bytes added (${sizes})`);
}

export function badHeader(file: SealedFileRef, error: CryptoError): StorageError {
  switch (error.code) {
    case 'WRONG_FILE':
      return damaged('FILE_SWAPPED', `${file.name} is damaged: its sealed file is another file's`, error);
    case 'UNSUPPORTED':
      return damaged('HEADER_UNSUPPORTED', `${file.name} cannot be read: ${error.message}`, error);
    case 'UNKNOWN_KEY_EPOCH':
      return damaged(
        'KEY_EPOCH_UNKNOWN',
        `${file.name} is sealed under a key that this vault does not have`,
        error,
      );
    default:
      return damaged(
        'HEADER_DAMAGED',
        `${file.name} is damaged: its sealed file has no authentic header`,
        error,
      );
  }
}
