import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scanPages } from '../src/index.ts';
import { KEY, addBlob, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

// Waits for timers of a process that does other things as well.

test('freed pages go back by themselves, soon after nothing was committed', async () => {
  const database = newDatabase();
  const [kept] = Array.from({ length: 40 }, () => addBlob(database, new Uint8Array(60_000).fill(7)));
  database.checkpoint('truncate');
  const before = statSync(database.path).size;
  for (const row of database.files.list().rows) if (row.id !== kept?.id) database.files.remove(row.id);
  await expect.poll(() => statSync(database.path).size).toBeLessThan(before / 8);
  expect(database.reclaimSpace()).toBe(0);
  expect(kept === undefined ? undefined : database.files.getBlob(kept.id)).toEqual(
    new Uint8Array(60_000).fill(7),
  );
  expect(database.integrityCheck()).toEqual([]);
});

test('a process that ends at once gives them back when it closes', () => {
  const database = newDatabase();
  const rows = Array.from({ length: 40 }, () => addBlob(database, new Uint8Array(60_000)));
  database.close();
  const before = statSync(database.path).size;
  const again = reopen(database.path);
  for (const row of rows) again.files.remove(row.id);
  again.close();
  expect(statSync(database.path).size).toBeLessThan(before / 8);
  expect(reopen(database.path).integrityCheck()).toEqual([]);
});

test('a process that changes nothing goes on with what another one has left, when it closes', () => {
  const database = newDatabase();
  const rows = Array.from({ length: 40 }, () => addBlob(database, new Uint8Array(60_000)));
  for (const row of rows) database.files.remove(row.id);
  database.checkpoint('truncate');
  // What it leaves it has no chance to give back.
  database.refuseChanges();
  database.close();
  const before = statSync(database.path).size;
  expect(before).toBeGreaterThan(40 * 60_000);
  let size = before;
  for (let opening = 0; opening < 40 && size > before / 8; opening += 1) {
    const again = reopen(database.path);
    expect(again.files.count()).toBe(0);
    again.close();
    // However little time there is, each one gets on.
    expect(statSync(database.path).size).toBeLessThan(size);
    size = statSync(database.path).size;
  }
  expect(size).toBeLessThan(before / 8);
  expect(reopen(database.path).integrityCheck()).toEqual([]);
});

test('a checkpoint that has to wait for a page scan can', async () => {
  const database = newDatabase();
  for (let number = 0; number < 20; number += 1) addBlob(database, new Uint8Array(60_000));
  const scan = database.scanPages({ key: KEY });
  expect(() => {
    database.checkpoint('truncate');
  }).toThrow(expect.objectContaining({ code: 'IN_USE' }) as Error);
  await database.whenNotScanned();
  database.checkpoint('truncate');
  expect((await scan).damagedPages).toEqual([]);
});

test('what deleting leaves between rows is found by its bytes, and is gone from a database that was written anew', async () => {
  const database = newDatabase();
  // Rows that share pages, and so move to other pages when their neighbours go.
  const rows = Array.from({ length: 4000 }, (_, number) => {
    const content = Buffer.from(`marker-${String(number).padStart(6, '0')}`.repeat(1 + (number % 17)));
    return { row: addBlob(database, content), content };
  });
  database.transaction(() => {
    for (const [number, { row }] of rows.entries()) {
      if ((number * 2_654_435_761) % 100 < 95) database.files.remove(row.id);
    }
  });
  const removed = rows.filter(({ row }) => database.files.find(row.id) === undefined);
  const residue = removed.map(({ content }) => content.subarray(0, 13));
  const scan = async (): Promise<readonly number[] | undefined> => {
    database.checkpoint('truncate');
    const copy = join(temporaryFolder(), 'data.db');
    copyFileSync(database.path, copy);
    return (await scanPages({ path: copy, key: KEY, residue })).residuePages;
  };
  expect((await scan())?.length).toBeGreaterThan(0);
  expect((await database.scanPages({ key: KEY, residue })).residuePages?.length).toBeGreaterThan(0);
  expect((await database.scanPages({ key: KEY, residue: 'anything' })).residuePages?.length).toBeGreaterThan(
    0,
  );
  expect(
    (await database.scanPages({ key: KEY, residue: [Buffer.from('never-stored')] })).residuePages,
  ).toEqual([]);
  await database.rebuild(() => Uint8Array.from(KEY));
  expect(await scan()).toEqual([]);
  expect(database.files.count()).toBe(rows.length - removed.length);
  expect(database.integrityCheck()).toEqual([]);
});
