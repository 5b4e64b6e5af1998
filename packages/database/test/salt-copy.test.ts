import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inspectPages, readSaltCopy, writeSaltCopy } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, newDatabase, reopen } from './support/sample-database.ts';

/** The path of a database that is closed, and has no space set aside beside it. */
function bareDatabase(): string {
  const database = newDatabase();
  database.settings.set('a', 'b');
  database.close();
  rmSync(`${database.path}.reserve`);
  return database.path;
}

function saltOf(path: string): Buffer {
  return readFileSync(path).subarray(0, 16);
}

test('a copy of the salt alone is enough to tell the pages of a database whose salt is lost', async () => {
  const path = bareDatabase();
  const salt = saltOf(path);
  writeSaltCopy(path);
  expect(readFileSync(`${path}.reserve`)).toEqual(salt);
  expect(statSync(`${path}.reserve`).mode & 0o777).toBe(0o600);
  writeFileSync(path, readFileSync(path).fill(0, 0, 16));
  expect((await inspectPages(path, KEY)).damagedPages).toEqual([1]);
  rmSync(`${path}.reserve`);
  await expect(inspectPages(path, KEY)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  // As for the copy of a damaged database.
  writeSaltCopy(path, salt);
  expect((await inspectPages(path, KEY)).damagedPages).toEqual([1]);
});

test('a copy that is of another database is no harm to one that is whole', async () => {
  const path = bareDatabase();
  writeSaltCopy(path, Buffer.alloc(16, 7));
  expect((await inspectPages(path, KEY)).damagedPages).toEqual([]);
});

test('a copy takes the place of nothing, and there is none of what is no database', () => {
  const path = bareDatabase();
  writeSaltCopy(path);
  expectError('EXISTS', () => {
    writeSaltCopy(path);
  });
  rmSync(`${path}.reserve`);
  truncateSync(path, 100);
  expectError('NOT_A_DATABASE', () => {
    writeSaltCopy(path);
  });
  expect(readSaltCopy(path)).toBeUndefined();
});

test('who opens the database as its owner makes of a copy alone the space that begins with one', () => {
  const path = bareDatabase();
  writeSaltCopy(path);
  reopen(path).close();
  expect(statSync(`${path}.reserve`).size).toBe(1024 * 1024);
  expect(readSaltCopy(path)).toEqual(saltOf(path));
});
