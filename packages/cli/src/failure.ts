import { CliError } from './cli-error.ts';
import type { ExitName } from './exit-codes.ts';
import { VAULT_ERROR_EXITS } from './vault-error-exits.ts';

/** An error as it is reported: by `coffer: error:` and `coffer: hint:` lines, or as the `error` object of --json. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly candidates: readonly string[] | undefined;
  readonly exit: ExitName;
  /** What was thrown, for -v. */
  readonly cause: unknown;
}

/** Says of anything thrown what it is called, how it reads and how the program exits. */
export function describeFailure(error: unknown): Failure {
  // Closing failed as well; what failed first is what the person wants to know.
  if (error instanceof SuppressedError) return describeFailure(error.suppressed);
  if (error instanceof CliError) {
    const { code, message, hint, exit, cause } = error;
    return { code, message, hint, candidates: undefined, exit, cause };
  }
  if (isVaultError(error)) {
    const { code, message, hint, candidates, cause } = error;
    return { code, message, hint, candidates, exit: VAULT_ERROR_EXITS[code], cause };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'UNEXPECTED',
    message,
    hint: 'this is a bug in coffer; run the command again with -v and report what it says',
    candidates: undefined,
    exit: 'unexpected',
    cause: error,
  };
}

interface VaultErrorShape extends Error {
  readonly code: keyof typeof VAULT_ERROR_EXITS;
  readonly hint?: string | undefined;
  readonly candidates?: readonly string[] | undefined;
}

// By name, not by `instanceof`: the class is in a module that loads the database driver, and an error has to be
// reported even when that is what failed.
function isVaultError(error: unknown): error is VaultErrorShape {
  return (
    error instanceof Error &&
    error.name === 'VaultError' &&
    'code' in error &&
    typeof error.code === 'string' &&
    Object.hasOwn(VAULT_ERROR_EXITS, error.code)
  );
}
