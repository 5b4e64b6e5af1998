import { expect } from 'vitest';
import { DatabaseError } from '../../src/index.ts';
import type { DatabaseErrorCode } from '../../src/index.ts';

/** Runs what must throw a `DatabaseError` of this code, and returns the error. */
export function expectError(code: DatabaseErrorCode, work: () => unknown): DatabaseError {
  let thrown: unknown;
  try {
    work();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(DatabaseError);
  expect(thrown).toMatchObject({ code });
  return thrown as DatabaseError;
}

/** The same of what rejects. */
export async function expectRejection(code: DatabaseErrorCode, work: Promise<unknown>): Promise<void> {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(DatabaseError);
  expect(thrown).toMatchObject({ code });
}
