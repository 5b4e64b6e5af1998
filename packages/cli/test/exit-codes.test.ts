import { EXIT_CODES } from '@coffer/cli';
import { expect, test } from 'vitest';
import { CLI_ERROR_EXITS, CliError } from '../src/cli-error.ts';
import { describeFailure } from '../src/failure.ts';
import { Outcome } from '../src/outcome.ts';
import { VAULT_ERROR_EXITS } from '../src/vault-error-exits.ts';

test('a number never changes its meaning', () => {
  expect(Object.fromEntries(Object.entries(EXIT_CODES).map(([name, { code }]) => [name, code]))).toEqual({
    done: 0,
    unexpected: 1,
    usage: 2,
    someFailed: 3,
    inputNeeded: 4,
    declined: 5,
    noVault: 10,
    inUse: 11,
    wrongKey: 12,
    tooNew: 13,
    damaged: 14,
    notFound: 15,
    exists: 16,
    refusedBySystem: 17,
    locked: 18,
    findings: 30,
    interrupted: 130,
    terminated: 143,
  });
});

test('every error code has an exit of the table', () => {
  for (const exit of Object.values({ ...CLI_ERROR_EXITS, ...VAULT_ERROR_EXITS })) {
    expect(EXIT_CODES).toHaveProperty(exit);
  }
});

test('a code has one exit, whoever gives it', () => {
  const shared = Object.entries(CLI_ERROR_EXITS).filter(([code]) => Object.hasOwn(VAULT_ERROR_EXITS, code));
  expect(shared.length).toBeGreaterThan(0);
  expect(VAULT_ERROR_EXITS).toMatchObject(Object.fromEntries(shared));
});

test('one item exits with its own code, several with 3 or the code they share', () => {
  const outcomeOf = (...ends: (keyof typeof EXIT_CODES)[]) => {
    const outcome = new Outcome();
    for (const end of ends) {
      if (end === 'done') outcome.succeed();
      else outcome.fail(end);
    }
    return outcome.exitCode;
  };
  expect(outcomeOf()).toBe(0);
  expect(outcomeOf('done', 'done')).toBe(0);
  expect(outcomeOf('notFound')).toBe(15);
  expect(outcomeOf('notFound', 'notFound')).toBe(15);
  expect(outcomeOf('notFound', 'damaged')).toBe(3);
  expect(outcomeOf('done', 'notFound')).toBe(3);
});

test('a failure to close does not hide what failed first', () => {
  const error = new SuppressedError(new Error('closing'), new CliError('NOT_FOUND', 'no such file'));
  expect(describeFailure(error)).toMatchObject({ message: 'no such file', exit: 'notFound' });
});

test('an error that nobody foresaw exits 1 and asks to be reported', () => {
  const failure = describeFailure(new TypeError('x is not a function'));
  expect(failure).toMatchObject({ code: 'UNEXPECTED', exit: 'unexpected', message: 'x is not a function' });
  expect(failure.hint).toContain('bug');
});
