import { DatabaseError } from './errors.ts';
import type { DatabaseErrorCode } from './errors.ts';

/** SQLite's primary result codes; an extended code begins with its primary one. */
const CODE_OF_RESULT: Readonly<Record<string, DatabaseErrorCode>> = {
  SQLITE_FULL: 'NO_SPACE',
  SQLITE_BUSY: 'IN_USE',
  SQLITE_LOCKED: 'IN_USE',
  SQLITE_READONLY: 'NOT_PERMITTED',
  SQLITE_CANTOPEN: 'NOT_PERMITTED',
  SQLITE_PERM: 'NOT_PERMITTED',
  SQLITE_AUTH: 'NOT_PERMITTED',
  SQLITE_CORRUPT: 'CORRUPT',
  SQLITE_NOTADB: 'CORRUPT',
  SQLITE_FORMAT: 'CORRUPT',
  SQLITE_CONSTRAINT: 'CONSTRAINT',
  SQLITE_MISMATCH: 'CONSTRAINT',
  SQLITE_TOOBIG: 'INVALID',
  SQLITE_RANGE: 'INVALID',
};

/** What the disk could not read is lost there, whatever the reason. */
const CODE_OF_EXTENDED_RESULT: Readonly<Record<string, DatabaseErrorCode>> = {
  SQLITE_IOERR_READ: 'CORRUPT',
  SQLITE_IOERR_SHORT_READ: 'CORRUPT',
  SQLITE_IOERR_CORRUPTFS: 'CORRUPT',
};

const CODE_OF_ERRNO: Readonly<Record<string, DatabaseErrorCode>> = {
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  EACCES: 'NOT_PERMITTED',
  EPERM: 'NOT_PERMITTED',
  EROFS: 'NOT_PERMITTED',
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOTEMPTY: 'EXISTS',
  EISDIR: 'NOT_A_DATABASE',
  ELOOP: 'NOT_PERMITTED',
};

const REASON: Partial<Record<DatabaseErrorCode, string>> = {
  NO_SPACE: 'there is no space left on the disk',
  IN_USE: 'it is in use by another process',
  NOT_PERMITTED: 'that is not permitted',
  NOT_FOUND: 'it does not exist',
  EXISTS: 'it exists already',
  NOT_A_DATABASE: 'it is not a database',
  CORRUPT: 'it is damaged',
};

/** Closer than what the code says. */
const REASON_OF_ERRNO: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is not a folder',
};

/**
 * Turns what the driver or the file system threw into a `DatabaseError`; `doing` is the action: "cannot open data.db".
 * The driver's message is kept for codes whose cause it alone knows; it names columns and tables, never values.
 */
export function toDatabaseError(error: unknown, doing: string): DatabaseError {
  if (error instanceof DatabaseError) return error;
  const raw = rawCodeOf(error) ?? '';
  const code =
    CODE_OF_ERRNO[raw] ??
    CODE_OF_EXTENDED_RESULT[raw] ??
    CODE_OF_RESULT[primaryResult(raw)] ??
    codeOfMisuse(error);
  const detail = error instanceof Error ? error.message : String(error);
  return new DatabaseError(code, `${doing}: ${REASON_OF_ERRNO[raw] ?? REASON[code] ?? detail}`, {
    cause: error,
  });
}

/** Whether the first page did not authenticate. */
export function isNotADatabase(error: unknown): boolean {
  return primaryResult(rawCodeOf(error) ?? '') === 'SQLITE_NOTADB';
}

/** `SQLITE_IOERR_WRITE` is `SQLITE_IOERR`, with the one exception that matters to a person. */
function primaryResult(code: string): string {
  return code.split('_', 2).join('_');
}

/** The driver reports what it checks itself (a closed connection, a value it cannot bind) as plain errors. */
function codeOfMisuse(error: unknown): DatabaseErrorCode {
  if (!(error instanceof Error)) return 'FAILED';
  if (error.message === 'The database connection is not open') return 'CLOSED';
  return error instanceof RangeError ? 'INVALID' : 'FAILED';
}

function rawCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
