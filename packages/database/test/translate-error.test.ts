import { describe, expect, test } from 'vitest';
import { checkRuntime } from '../src/driver.ts';
import { DatabaseError } from '../src/index.ts';
import { isNotADatabase, toDatabaseError } from '../src/translate-error.ts';
import { expectError } from './support/expect-error.ts';

function withCode(code: string): Error {
  return Object.assign(new Error('the driver says'), { code });
}

describe('an error of the driver or the file system', () => {
  test.each([
    ['SQLITE_FULL', 'NO_SPACE'],
    ['SQLITE_BUSY', 'IN_USE'],
    ['SQLITE_BUSY_SNAPSHOT', 'IN_USE'],
    ['SQLITE_LOCKED', 'IN_USE'],
    ['SQLITE_READONLY_DBMOVED', 'NOT_PERMITTED'],
    ['SQLITE_CANTOPEN_ISDIR', 'NOT_PERMITTED'],
    ['SQLITE_PERM', 'NOT_PERMITTED'],
    ['SQLITE_CORRUPT_INDEX', 'CORRUPT'],
    ['SQLITE_NOTADB', 'CORRUPT'],
    ['SQLITE_CONSTRAINT_CHECK', 'CONSTRAINT'],
    ['SQLITE_TOOBIG', 'INVALID'],
    ['SQLITE_IOERR_WRITE', 'FAILED'],
    ['SQLITE_ERROR', 'FAILED'],
    ['ENOSPC', 'NO_SPACE'],
    ['EDQUOT', 'NO_SPACE'],
    ['EACCES', 'NOT_PERMITTED'],
    ['EROFS', 'NOT_PERMITTED'],
    ['ENOENT', 'NOT_FOUND'],
    ['EEXIST', 'EXISTS'],
    ['EIO', 'FAILED'],
  ])('%s becomes %s', (code, expected) => {
    const cause = withCode(code);
    const error = toDatabaseError(cause, 'cannot do it');
    expect(error).toMatchObject({ name: 'DatabaseError', code: expected, cause });
    expect(error.message).toMatch(/^cannot do it: ./);
  });

  test('without a code is still one of ours', () => {
    expect(toDatabaseError(new RangeError('too many'), 'x')).toMatchObject({
      code: 'INVALID',
      message: 'x: too many',
    });
    expect(toDatabaseError(new TypeError('oh'), 'x')).toMatchObject({ code: 'FAILED', message: 'x: oh' });
    expect(toDatabaseError('text', 'x')).toMatchObject({ code: 'FAILED', message: 'x: text' });
    expect(toDatabaseError(new Error('The database connection is not open'), 'x')).toMatchObject({
      code: 'CLOSED',
    });
  });

  test('that was translated already stays as it is', () => {
    const error = new DatabaseError('EXISTS', 'there');
    expect(toDatabaseError(error, 'x')).toBe(error);
    expect(isNotADatabase(withCode('SQLITE_NOTADB'))).toBe(true);
    expect(isNotADatabase(error)).toBe(false);
  });
});

describe('the runtime', () => {
  test.each(['24.11.0', '24.21.0', '25.0.0', '100.1.2', process.versions.node])(
    'Node.js %s will do',
    (version) => {
      expect(() => {
        checkRuntime(version);
      }).not.toThrow();
    },
  );

  test.each(['20.19.0', '22.22.0', '24.10.9', '18.0.0', ''])('Node.js %j will not', (version) => {
    const error = expectError('UNSUPPORTED_RUNTIME', () => {
      checkRuntime(version);
    });
    expect(error.message).toContain('24.11');
  });
});
