import { expect } from 'vitest';
import { TransferModelError } from '../src/index.ts';
import type { TransferModelErrorCode } from '../src/index.ts';

/** The message of the error with this code that the work throws. */
export function expectError(code: TransferModelErrorCode, work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TransferModelError)) throw error;
    expect(error.code).toBe(code);
    return error.message;
  }
  return expect.unreachable(`nothing was thrown; ${code} was expected`);
}

/** Whatever the value, the parser returns or throws the error of this package. */
export function expectParserToHold(parse: (value: unknown) => unknown, value: unknown): void {
  try {
    parse(value);
  } catch (error) {
    expect(error).toBeInstanceOf(TransferModelError);
  }
}
