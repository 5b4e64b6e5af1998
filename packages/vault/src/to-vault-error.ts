import { DatabaseError } from '@coffer/database';
import { StorageError } from '@coffer/storage';
import { VaultError } from './errors.ts';
import type { VaultErrorCode } from './errors.ts';

const CODE_OF_STORAGE: Readonly<Record<StorageError['code'], VaultErrorCode>> = {
  NOT_FOUND: 'NOT_FOUND',
  EXISTS: 'EXISTS',
  DAMAGED: 'DAMAGED',
  WRONG_KEY: 'DAMAGED',
  TOO_NEW: 'TOO_NEW',
  IN_USE: 'IN_USE',
  NO_SPACE: 'NO_SPACE',
  NOT_PERMITTED: 'NOT_PERMITTED',
  INVALID: 'INVALID_INPUT',
  TOO_LARGE: 'INVALID_INPUT',
  NOT_A_FILE: 'NOT_A_FILE',
  SOURCE_CHANGED: 'SOURCE_CHANGED',
  ABORTED: 'ABORTED',
  CLOSED: 'CLOSED',
  NOT_CONFIGURED: 'FAILED',
  UNSUPPORTED_RUNTIME: 'UNSUPPORTED_RUNTIME',
  FAILED: 'FAILED',
};

const CODE_OF_DATABASE: Partial<Record<DatabaseError['code'], VaultErrorCode>> = {
  NOT_FOUND: 'NOT_FOUND',
  EXISTS: 'EXISTS',
  SCHEMA_TOO_NEW: 'TOO_NEW',
  IN_USE: 'IN_USE',
  NO_SPACE: 'NO_SPACE',
  NOT_PERMITTED: 'NOT_PERMITTED',
  INVALID: 'INVALID_INPUT',
  CLOSED: 'CLOSED',
  UNSUPPORTED_RUNTIME: 'UNSUPPORTED_RUNTIME',
  // vault.json verifies the key before the database is opened: a page that does not open under it is damage.
  WRONG_KEY: 'DAMAGED',
  PLAINTEXT: 'DAMAGED',
  NOT_A_DATABASE: 'DAMAGED',
  CORRUPT: 'DAMAGED',
};

const HINT_OF_CODE: Partial<Record<VaultErrorCode, string>> = {
  NO_SPACE: 'free some space and try again; nothing that was stored is lost',
  IN_USE: 'wait until the other process is done with this vault; if it is an agent, `coffer lock` ends it',
  TOO_NEW: 'install a newer version of Coffer',
  DAMAGED: 'run `coffer check` to see everything that is damaged and what to do',
};

/** Translates whatever a lower layer threw. The only place where the vault's callers' error codes come from. */
export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  // What a source of ours threw comes back as it was.
  if (error instanceof StorageError && error.cause instanceof VaultError) return error.cause;
  if (error instanceof StorageError) return wrap(CODE_OF_STORAGE[error.code], error);
  if (error instanceof DatabaseError) return wrap(CODE_OF_DATABASE[error.code] ?? 'FAILED', error);
  if (error instanceof Error && error.name === 'AbortError') return wrap('ABORTED', error);
  return new VaultError('FAILED', error instanceof Error ? error.message : String(error), { cause: error });
}

function wrap(code: VaultErrorCode, error: Error): VaultError {
  const hint = HINT_OF_CODE[code];
  return new VaultError(code, error.message, { cause: error, ...(hint === undefined ? {} : { hint }) });
}
