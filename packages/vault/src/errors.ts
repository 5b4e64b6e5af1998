/** Why an operation on a vault failed. The codes are stable; the command line maps each to one exit code. */
export type VaultErrorCode =
  | 'NO_VAULT'
  | 'IN_USE'
  | 'WRONG_KEY'
  | 'TOO_NEW'
  | 'DAMAGED'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'NO_SPACE'
  | 'NOT_PERMITTED'
  | 'INVALID_INPUT'
  | 'AMBIGUOUS'
  | 'SOURCE_CHANGED'
  | 'NOT_A_FILE'
  | 'LAST_SLOT'
  | 'ROLLED_BACK'
  | 'KEYCHAIN_UNAVAILABLE'
  | 'KEYCHAIN_LOCKED'
  | 'KEYCHAIN_ITEM_MISSING'
  | 'KEYCHAIN_ITEM_WRONG'
  | 'TOO_MANY_SLOTS'
  | 'ABORTED'
  | 'CLOSED'
  | 'SOME_FAILED'
  | 'UNSUPPORTED_RUNTIME'
  | 'FAILED';

export interface VaultErrorOptions extends ErrorOptions {
  /** What the person can do about it. */
  readonly hint?: string;
  /** What an ambiguous name may stand for. */
  readonly candidates?: readonly string[];
}

/** What everything in this package throws. Neither message nor hint nor cause ever holds a secret. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: VaultErrorCode;
  readonly hint: string | undefined;
  readonly candidates: readonly string[] | undefined;

  constructor(code: VaultErrorCode, message: string, options: VaultErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint;
    this.candidates = options.candidates;
  }
}

interface Translation {
  readonly code: VaultErrorCode;
  readonly reason: string;
  readonly hint?: string;
}

const NO_SPACE: Translation = {
  code: 'NO_SPACE',
  reason: 'there is no space left',
  hint: 'free some space and try again; nothing that was stored is lost',
};
const QUOTA: Translation = { ...NO_SPACE, reason: 'the quota of this user is used up' };
const NOT_PERMITTED: Translation = { code: 'NOT_PERMITTED', reason: 'it is not permitted' };

const BY_ERRNO: Readonly<Partial<Record<string, Translation>>> = {
  ENOSPC: NO_SPACE,
  EDQUOT: QUOTA,
  EACCES: NOT_PERMITTED,
  EPERM: NOT_PERMITTED,
  EROFS: { code: 'NOT_PERMITTED', reason: 'the file system is read-only' },
  ENOENT: { code: 'NOT_FOUND', reason: 'it is not there' },
  ENOTDIR: { code: 'NOT_FOUND', reason: 'a part of its path is not a folder' },
  EEXIST: { code: 'EXISTS', reason: 'it exists already' },
  EISDIR: { code: 'NOT_A_FILE', reason: 'it is a folder' },
  ENAMETOOLONG: { code: 'INVALID_INPUT', reason: 'the name is too long' },
  EFBIG: { code: 'NO_SPACE', reason: 'the file is larger than the file system or a limit allows' },
  EMFILE: { code: 'FAILED', reason: 'too many files are open' },
  ENFILE: { code: 'FAILED', reason: 'too many files are open' },
  EIO: { code: 'FAILED', reason: 'the disk reports an error' },
};

/** The errno name of what the file system threw (`ENOENT`), if it is that. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Translates what the file system threw while doing `what` ("cannot read /x"). An error that is a `VaultError` already stays
 * as it is.
 */
export function errnoToVaultError(error: unknown, what: string): VaultError {
  if (error instanceof VaultError) return error;
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : BY_ERRNO[errno];
  if (known !== undefined) {
    const { code, reason, hint } = known;
    return new VaultError(code, `${what}: ${reason}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new VaultError('FAILED', `${what}: ${reason}`, { cause: error });
}
