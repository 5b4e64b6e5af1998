import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase, scanPages } from '../src/index.ts';
import { expectError, expectRejection } from './support/expect-error.ts';
import { KEY, OTHER_KEY, addBlob, fileRow, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

// Real processes and files, on machines that do other things as well.

describe('a backup', () => {
  test('has everything, under the same key, while the database is open', async () => {
    const database = newDatabase();
    const row = addBlob(database, new Uint8Array(50_000).fill(3));
    database.tags.add(row.id, 'red');
    const path = join(temporaryFolder(), 'backup.db');
    await database.backupTo(path, { key: KEY });
    addBlob(database, new Uint8Array(10));

    expect(readFileSync(path).subarray(0, 16).toString('latin1')).not.toBe('SQLite format 3\0');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['backup.db']);
    expect((await scanPages({ path, key: KEY })).damagedPages).toEqual([]);
    expectError('WRONG_KEY', () => openDatabase({ path, key: OTHER_KEY }));
    const copy = reopen(path);
    expect(copy.files.list().rows).toEqual([row]);
    expect(copy.tags.of(row.id)).toEqual(['red']);
    expect(copy.schemaVersion).toBe(database.schemaVersion);
    expect(copy.reclaimSpace()).toBe(0);
    expect(copy.integrityCheck()).toEqual([]);
  });

  test('can be kept from being changed', async () => {
    const database = newDatabase();
    const row = addBlob(database, new Uint8Array(50_000).fill(3));
    const path = join(temporaryFolder(), 'backup.db');
    await database.backupTo(path, { key: KEY });
    const copy = reopen(path);
    copy.refuseChanges();
    expectError('NOT_PERMITTED', () => copy.files.remove(row.id));
    expectError('NOT_PERMITTED', () => {
      copy.transaction(() => {
        copy.settings.set('a', 'b');
      });
    });
    expect(copy.files.list().rows).toEqual([row]);
    copy.close();
    expect(reopen(path).files.remove(row.id)).toBe(true);
  });

  test('replaces nothing', async () => {
    const database = newDatabase();
    const path = join(temporaryFolder(), 'backup.db');
    writeFileSync(path, 'mine');
    await expectRejection('EXISTS', database.backupTo(path, { key: KEY }));
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await expectRejection('EXISTS', database.backupTo(database.path, { key: KEY }));
    expect(database.files.count()).toBe(0);
  });

  test('goes to a folder that is there', async () => {
    const database = newDatabase();
    const missing = join(temporaryFolder(), 'missing', 'backup.db');
    await expectRejection('NOT_FOUND', database.backupTo(missing, { key: KEY }));
  });

  test('goes to a path with any characters', async () => {
    const database = newDatabase();
    const path = join(temporaryFolder(), `it's "a" backup?mode=memory#.db`);
    await database.backupTo(path, { key: KEY });
    expect(reopen(path).files.count()).toBe(0);
  });
});

describe('space', () => {
  test('is given back in steps', () => {
    const database = newDatabase();
    const rows = Array.from({ length: 20 }, () => addBlob(database, new Uint8Array(60_000)));
    for (const row of rows) database.files.remove(row.id);
    database.checkpoint('truncate');
    const before = statSync(database.path).size;
    expect(database.reclaimSpace(10)).toBe(10);
    let pages = 10;
    for (let freed = 1; freed > 0; pages += freed) freed = database.reclaimSpace();
    database.checkpoint('truncate');
    expect(before - statSync(database.path).size).toBe(pages * 4096);
    expect(pages).toBeGreaterThan(250);
    expect(database.integrityCheck()).toEqual([]);
  });

  test('is asked for in whole pages', () => {
    const database = newDatabase();
    for (const wrong of [0, -1, 1.5, Number.NaN]) expectError('INVALID', () => database.reclaimSpace(wrong));
  });
});

describe('the WAL', () => {
  test('is emptied by a truncating checkpoint and gone after closing', () => {
    const database = newDatabase();
    database.settings.set('a', 'b');
    expect(database.walSizeBytes()).toBeGreaterThan(0);
    database.checkpoint('truncate');
    expect(database.walSizeBytes()).toBe(0);
    database.settings.set('a', 'c');
    database.close();
    expect(readdirSync(join(database.path, '..'))).toEqual(['data.db', 'data.db.reserve']);
    expect(reopen(database.path).settings.get('a')).toBe('c');
  });

  test('does not grow without bound, whether by transactions or single statements', () => {
    const database = newDatabase();
    for (let number = 0; number < 200; number += 1) {
      addBlob(database, new Uint8Array(100_000).fill(number));
      database.settings.set('number', String(number));
      expect(database.walSizeBytes()).toBeLessThan(20 * 1024 * 1024);
    }
    expect(statSync(database.path).size).toBeGreaterThan(10 * 1024 * 1024);
  });

  test('is written to the database when nothing happens for a while', async () => {
    const database = newDatabase();
    const before = statSync(database.path).mtimeMs;
    addBlob(database, new Uint8Array(100_000));
    await expect.poll(() => statSync(database.path).mtimeMs).toBeGreaterThan(before);
    expect(database.files.count()).toBe(1);
  });
});

test('the integrity check finds a row that references nothing', () => {
  const database = newDatabase();
  expect(database.integrityCheck()).toEqual([]);
  database.files.insert(fileRow());
  expect(database.integrityCheck()).toEqual([]);
});

test('reading a damaged page throws CORRUPT, and the rest stays readable', () => {
  const database = newDatabase();
  const rows = Array.from({ length: 20 }, (_, number) =>
    addBlob(database, new Uint8Array(60_000).fill(number)),
  );
  database.close();
  const bytes = readFileSync(database.path);
  const place = Math.floor(bytes.length / 4096 / 2) * 4096 + 100;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(database.path, bytes);

  const again = reopen(database.path);
  expect(again.files.list().rows).toHaveLength(20);
  const readable = rows.filter((row) => {
    try {
      return again.files.getBlob(row.id) !== undefined;
    } catch (error) {
      expect(error).toMatchObject({ name: 'DatabaseError', code: 'CORRUPT' });
      return false;
    }
  });
  expect(readable).toHaveLength(19);
  expect(again.integrityCheck().length).toBeGreaterThan(0);
});
