/**
 * Why a database operation failed.
 *
 * - `WRONG_KEY`: the first page does not authenticate under this key. A damaged first page looks the same.
 * - `NOT_A_DATABASE`: too short, or not a whole number of pages.
 * - `PLAINTEXT`: an unencrypted SQLite database; never opened, never made.
 * - `SCHEMA_TOO_NEW`: written by a newer version.
 * - `IN_USE`: open in another process, or already open in this one.
 * - `CORRUPT`: a page or a row that cannot be what was written.
 * - `CONSTRAINT`: the row breaks a rule of the schema.
 * - `ILLEGAL_TRANSITION`: the transfer's state does not allow it.
 * - `INVALID`: an argument that can never be right.
 */
export type DatabaseErrorCode =
  | 'WRONG_KEY'
  | 'NOT_A_DATABASE'
  | 'PLAINTEXT'
  | 'SCHEMA_TOO_NEW'
  | 'IN_USE'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'CORRUPT'
  | 'NO_SPACE'
  | 'NOT_PERMITTED'
  | 'CONSTRAINT'
  | 'ILLEGAL_TRANSITION'
  | 'INVALID'
  | 'CLOSED'
  | 'UNSUPPORTED_RUNTIME'
  | 'FAILED';

export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly code: DatabaseErrorCode;

  constructor(code: DatabaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function invalid(message: string): DatabaseError {
  return new DatabaseError('INVALID', message);
}

export function corrupt(message: string): DatabaseError {
  return new DatabaseError('CORRUPT', message);
}
