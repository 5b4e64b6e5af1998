import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DatabaseError } from '../src/index.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { KEY, OTHER_KEY, addBlob, fileRow, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

test('nothing is counted before it is asked for', () => {
  const database = newDatabase();
  database.settings.set('a', '1');
  expect(database.commitCount).toBe(0);
});

test('every transaction that changes rows or gives pages back is counted once, and no other', () => {
  const database = newDatabase();
  database.countCommits();
  addBlob(database, new Uint8Array(4096));
  expect(database.commitCount).toBe(1);
  database.settings.set('a', '1');
  expect(database.commitCount).toBe(2);
  database.transaction(() => {
    database.settings.set('b', '1');
    database.transaction(() => {
      database.settings.set('c', '1');
    });
  });
  expect(database.commitCount).toBe(3);
  database.settings.get('a');
  database.settings.remove('never there');
  database.transaction(() => database.files.count());
  database.checkpoint('truncate');
  expect(database.reclaimSpace()).toBe(0);
  expect(database.commitCount).toBe(3);
  database.settings.set('long', 'x'.repeat(20_000));
  database.settings.remove('long');
  expect(database.reclaimSpace()).toBeGreaterThan(0);
  expect(database.commitCount).toBe(6);
});

test('what was undone is not counted', () => {
  const database = newDatabase();
  database.countCommits();
  const fail = (): never => {
    database.settings.set('a', '1');
    throw new Error('no');
  };
  expect(() => database.transaction(fail)).toThrow('no');
  const row = fileRow();
  database.files.insert(row);
  expect(() => {
    database.files.insert(row);
  }).toThrow(DatabaseError);
  expect(database.commitCount).toBe(1);
  database.settings.set('b', '1');
  expect(database.commitCount).toBe(2);
});

test('the count is kept by the file: closed, copied, and under another key', async () => {
  const path = join(temporaryFolder(), 'data.db');
  const database = newDatabase(path);
  database.countCommits();
  for (const key of ['a', 'b', 'c']) database.settings.set(key, '1');
  const copy = join(temporaryFolder(), 'copy.db');
  await database.backupTo(copy, { key: KEY });
  database.settings.set('d', '1');
  await (await database.stageRekey({ key: KEY, newKey: OTHER_KEY })).commit();
  expect(database.commitCount).toBe(4);
  database.settings.set('e', '1');
  expect(database.commitCount).toBe(5);
  database.close();
  expect(reopen(copy).commitCount).toBe(3);
});

test('the count stops where the field of the header ends', () => {
  const path = join(temporaryFolder(), 'data.db');
  newDatabase(path).close();
  const connection = openKeyedConnection(path, KEY);
  connection.exec('PRAGMA application_id = 2147483646');
  connection.close();
  const database = reopen(path);
  database.countCommits();
  for (const key of ['a', 'b', 'c']) database.settings.set(key, '1');
  expect(database.commitCount).toBe(2_147_483_647);
});
