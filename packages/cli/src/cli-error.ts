import type { ExitName } from './exit-codes.ts';

export type CliErrorCode =
  | 'USAGE'
  | 'INPUT_NEEDED'
  | 'DECLINED'
  | 'WRONG_KEY'
  | 'EXISTS'
  | 'INTERRUPTED'
  | 'TERMINATED'
  | 'SKIPPED'
  | 'NOT_FOUND'
  | 'NOT_PERMITTED'
  | 'OUTPUT_FAILED'
  | 'UNEXPECTED';

/** How the program exits for each code. */
export const CLI_ERROR_EXITS: Readonly<Record<CliErrorCode, ExitName>> = {
  USAGE: 'usage',
  INPUT_NEEDED: 'inputNeeded',
  DECLINED: 'declined',
  WRONG_KEY: 'wrongKey',
  EXISTS: 'exists',
  INTERRUPTED: 'interrupted',
  TERMINATED: 'terminated',
  SKIPPED: 'someFailed',
  NOT_FOUND: 'notFound',
  NOT_PERMITTED: 'refusedBySystem',
  OUTPUT_FAILED: 'refusedBySystem',
  UNEXPECTED: 'unexpected',
};

/** What went wrong between a person and the program, before or after the vault had its say. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  readonly hint: string | undefined;

  constructor(code: CliErrorCode, message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }

  get exit(): ExitName {
    return CLI_ERROR_EXITS[this.code];
  }
}

/** The command line itself is wrong: exit 2. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError('USAGE', message, hint === undefined ? {} : { hint });
}
