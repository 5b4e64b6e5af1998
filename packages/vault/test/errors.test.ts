import { describe, expect, test } from 'vitest';
import { VaultError, errnoToVaultError } from '../src/errors.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something, open '/x'`), { code });
}

describe('errnoToVaultError', () => {
  test.each([
    ['ENOSPC', 'NO_SPACE'],
    ['EDQUOT', 'NO_SPACE'],
    ['EFBIG', 'NO_SPACE'],
    ['EACCES', 'NOT_PERMITTED'],
    ['EPERM', 'NOT_PERMITTED'],
    ['EROFS', 'NOT_PERMITTED'],
    ['ENOENT', 'NOT_FOUND'],
    ['EEXIST', 'EXISTS'],
    ['EISDIR', 'NOT_A_FILE'],
    ['EIO', 'FAILED'],
    ['EWHATEVER', 'FAILED'],
  ])('says of %s that it is %s, what was done, and keeps the cause', (errno, code) => {
    const cause = systemError(errno);
    const error = errnoToVaultError(cause, 'cannot write /x');
    expect(error).toMatchObject({ name: 'VaultError', code, cause });
    expect(error.message).toMatch(/^cannot write \/x: /);
  });

  test('leaves a VaultError as it is', () => {
    const error = new VaultError('WRONG_KEY', 'no');
    expect(errnoToVaultError(error, 'cannot write /x')).toBe(error);
  });

  test('takes what is no error at all', () => {
    expect(errnoToVaultError('odd', 'cannot write /x')).toMatchObject({
      code: 'FAILED',
      message: 'cannot write /x: odd',
    });
  });
});

test('a VaultError has its hint and candidates, and no cause unless there is one', () => {
  const error = new VaultError('AMBIGUOUS', 'which?', { hint: 'say more', candidates: ['a', 'b'] });
  expect(error).toMatchObject({ hint: 'say more', candidates: ['a', 'b'] });
  expect('cause' in error).toBe(false);
});
