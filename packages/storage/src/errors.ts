import { DatabaseError } from '@coffer/database';
import { errnoOf } from './errno.ts';

/**
 * Why a storage operation failed.
 *
 * `DAMAGED` comes with a `finding` that says what kind of damage it is; everything else is about the request or the machine.
 */
export type StorageErrorCode =
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'DAMAGED'
  | 'WRONG_KEY'
  | 'TOO_NEW'
  | 'IN_USE'
  | 'NO_SPACE'
  | 'NOT_PERMITTED'
  | 'INVALID'
  | 'TOO_LARGE'
  | 'NOT_A_FILE'
  | 'SOURCE_CHANGED'
  | 'ABORTED'
  | 'CLOSED'
  | 'NOT_CONFIGURED'
  | 'UNSUPPORTED_RUNTIME'
  | 'FAILED';

/** One name for each kind of damage that a read or `check` can tell apart. The names are stable. */
export type DamageCode =
  | 'FILE_MISSING'
  | 'FILE_TRUNCATED'
  | 'FILE_EXTENDED'
  | 'FILE_SWAPPED'
  | 'FILE_UNREADABLE'
  | 'HEADER_DAMAGED'
  | 'HEADER_UNSUPPORTED'
  | 'KEY_EPOCH_UNKNOWN'
  | 'SEGMENT_DAMAGED'
  | 'HASH_MISMATCH'
  | 'BLOB_MISSING'
  | 'BLOB_DAMAGED'
  | 'ROW_DAMAGED'
  | 'DATABASE_DAMAGED'
  | 'PAGE_DAMAGED'
  | 'FOLDER_DAMAGED';

export interface StorageErrorOptions extends ErrorOptions {
  readonly damage?: DamageCode;
}

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  /** Set when `code` is `DAMAGED`. */
  readonly damage: DamageCode | undefined;

  constructor(code: StorageErrorCode, message: string, options?: StorageErrorOptions) {
    super(message, options);
    this.code = code;
    this.damage = options?.damage;
  }
}

export function damaged(damage: DamageCode, message: string, cause?: unknown): StorageError {
  return new StorageError('DAMAGED', message, { damage, ...(cause === undefined ? {} : { cause }) });
}

const CODE_OF_ERRNO: Readonly<Record<string, StorageErrorCode>> = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  EACCES: 'NOT_PERMITTED',
  EPERM: 'NOT_PERMITTED',
  EROFS: 'NOT_PERMITTED',
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  EISDIR: 'NOT_A_FILE',
  ELOOP: 'NOT_A_FILE',
  ENOTDIR: 'NOT_FOUND',
  ENAMETOOLONG: 'INVALID',
};

const REASON_OF_CODE: Partial<Record<StorageErrorCode, string>> = {
  NO_SPACE: 'there is no space left on the disk',
  NOT_PERMITTED: 'that is not permitted',
  NOT_FOUND: 'it does not exist',
  EXISTS: 'it exists already',
  NOT_A_FILE: 'it is not a regular file',
  INVALID: 'the name is too long for this file system',
};

/** Closer than what the code says. */
const REASON_OF_ERRNO: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is not a folder',
};

/**
 * Turns whatever a lower layer threw into a `StorageError`. `doing` names the thing and the action: "cannot save a.txt".
 */
export function toStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof DatabaseError) return fromDatabaseError(error, doing);
  if (error instanceof Error && error.name === 'AbortError') {
    return new StorageError('ABORTED', `${doing}: it was cancelled`, { cause: error });
  }
  const errno = errnoOf(error) ?? '';
  const code = CODE_OF_ERRNO[errno];
  if (code === undefined) {
    const detail = error instanceof Error ? error.message : String(error);
    return new StorageError('FAILED', `${doing}: ${detail}`, { cause: error });
  }
  const reason = REASON_OF_ERRNO[errno] ?? REASON_OF_CODE[code] ?? code;
  return new StorageError(code, `${doing}: ${reason}`, { cause: error });
}

function fromDatabaseError(error: DatabaseError, doing: string): StorageError {
  const message = `${doing}: ${error.message}`;
  const cause = error;
  switch (error.code) {
    case 'NOT_FOUND':
    case 'EXISTS':
    case 'WRONG_KEY':
    case 'IN_USE':
    case 'NO_SPACE':
    case 'NOT_PERMITTED':
    case 'INVALID':
    case 'CLOSED':
    case 'UNSUPPORTED_RUNTIME':
      return new StorageError(error.code, message, { cause });
    case 'SCHEMA_TOO_NEW':
      return new StorageError('TOO_NEW', message, { cause });
    case 'PLAINTEXT':
    case 'NOT_A_DATABASE':
    case 'CORRUPT':
      return damaged('DATABASE_DAMAGED', message, cause);
    default:
      return new StorageError('FAILED', message, { cause });
  }
}

/** Throws `ABORTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted === true) {
    throw new StorageError('ABORTED', `${doing}: it was cancelled`, { cause: signal.reason });
  }
}
