import type { VaultError, VaultErrorCode } from '@coffer/vault';
import * as v from 'valibot';

const MAX_TEXT_LENGTH = 65_536;
const MAX_CANDIDATES = 100;
const MAX_CAUSES = 4;

/** An error as it is sent. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of a `VaultError`. */
  readonly code?: string | undefined;
  readonly hint?: string | undefined;
  readonly candidates?: readonly string[] | undefined;
  readonly cause?: ErrorRecord | undefined;
}

const text = v.pipe(v.string(), v.maxLength(MAX_TEXT_LENGTH));

const errorSchema: v.GenericSchema<unknown, ErrorRecord> = v.object({
  name: text,
  message: text,
  stack: v.optional(text),
  code: v.optional(v.pipe(v.string(), v.regex(/^[A-Z_]{1,64}$/))),
  hint: v.optional(text),
  candidates: v.optional(v.pipe(v.array(text), v.maxLength(MAX_CANDIDATES))),
  cause: v.optional(v.lazy(() => errorSchema)),
});

export function isErrorRecord(value: unknown): value is ErrorRecord {
  return v.is(errorSchema, value);
}

/** What can be sent of an error: all that a person sees, and what -v shows. */
export function toErrorRecord(error: unknown, depth = 0): ErrorRecord {
  if (!(error instanceof Error)) return { name: 'Error', message: cut(String(error)) };
  const { name, message, stack, cause } = error;
  const record = {
    name: cut(name),
    message: cut(message),
    ...(stack === undefined ? {} : { stack: cut(stack) }),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: toErrorRecord(cause, depth + 1) }),
  };
  if (!isVaultError(error)) return record;
  const { code, hint, candidates } = error;
  return {
    ...record,
    code,
    ...(hint === undefined ? {} : { hint: cut(hint) }),
    ...(candidates === undefined ? {} : { candidates: candidates.slice(0, MAX_CANDIDATES).map(cut) }),
  };
}

/** The error again: a `VaultError` if it was one. */
export async function fromErrorRecord(record: ErrorRecord): Promise<Error> {
  const { name, message, stack, code, hint, candidates } = record;
  const cause = record.cause === undefined ? undefined : await fromErrorRecord(record.cause);
  const options = cause === undefined ? {} : { cause };
  let error: Error;
  if (name === 'VaultError' && code !== undefined) {
    // Only now: loading it opens the database driver, which a command that asks an agent does not need.
    const vault = await import('@coffer/vault');
    error = new vault.VaultError(code as VaultErrorCode, message, {
      ...options,
      ...(hint === undefined ? {} : { hint }),
      ...(candidates === undefined ? {} : { candidates }),
    });
  } else {
    error = new Error(message, options);
    if (name !== 'VaultError') error.name = name;
  }
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** By name, for the same reason. */
function isVaultError(error: Error): error is VaultError {
  return error.name === 'VaultError' && 'code' in error && typeof error.code === 'string';
}

function cut(value: string): string {
  return value.length > MAX_TEXT_LENGTH ? value.slice(0, MAX_TEXT_LENGTH) : value;
}
