import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase, scanPages } from '../src/index.ts';
import type { CofferDatabase } from '../src/index.ts';
import { expectError, expectRejection } from './support/expect-error.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, OTHER_KEY, addBlob, newDatabase } from './support/sample-database.ts';
import { canMount, smallDisk } from './support/small-disk.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const CHANGE = { key: KEY, newKey: OTHER_KEY };

/** A copy: it is zeroed. */
const keyOfDatabase = (): Uint8Array => Uint8Array.from(KEY);

function openWith(path: string, key: Uint8Array): CofferDatabase {
  const database = openDatabase({ path, key });
  onTestFinished(() => {
    database.close();
  });
  return database;
}

test('after a change of key the new key opens everything and the old one nothing, not even a page', async () => {
  const database = newDatabase();
  const rows = [10, 5_000, 90_000].map((size) => addBlob(database, new Uint8Array(size).fill(7)));
  database.files.remove(addBlob(database, new Uint8Array(50_000)).id);
  const saltBefore = readFileSync(database.path).subarray(0, 16);
  const staged = await database.stageRekey(CHANGE);
  expect(staged.isInPlace).toBe(false);
  await staged.commit();
  expect(staged.isInPlace).toBe(true);
  // The same object goes on.
  for (const row of rows) expect(database.files.getBlob(row.id)).toHaveLength(row.sizeBytes);
  rows.push(addBlob(database, new Uint8Array(300)));
  database.close();

  expect(readdirSync(dirname(database.path)).sort()).toEqual(['data.db', 'data.db.reserve']);
  expectError('WRONG_KEY', () => openDatabase({ path: database.path, key: KEY }));
  const underNew = await scanPages({ path: database.path, key: OTHER_KEY });
  expect(underNew.damagedPages).toEqual([]);
  const underOld = await scanPages({ path: database.path, key: KEY });
  expect(underOld.damagedPages).toHaveLength(underNew.pageCount);
  expect(readFileSync(database.path).subarray(0, 16).equals(saltBefore)).toBe(false);
  const again = openWith(database.path, OTHER_KEY);
  expect(again.files.count()).toBe(rows.length);
  expect(again.integrityCheck()).toEqual([]);
});

test('the settings of the file are those of every database of this package', async () => {
  const database = newDatabase();
  await (await database.stageRekey(CHANGE)).commit();
  database.transaction(() => {
    for (let number = 0; number < 30; number += 1) addBlob(database, new Uint8Array(50_000));
  });
  for (const { id } of database.files.list({ limit: 100 }).rows) database.files.remove(id);
  // Incremental auto-vacuum is kept, and the log is one.
  expect(database.reclaimSpace(1000)).toBeGreaterThan(100);
  expect(database.walSizeBytes()).toBeGreaterThan(0);
});

test('what is written between staging and putting in place is kept', async () => {
  const database = newDatabase();
  const staged = await database.stageRekey(CHANGE);
  const row = addBlob(database, new Uint8Array(1000).fill(3));
  database.settings.set('late', 'yes');
  await staged.commit();
  database.close();
  const again = openWith(database.path, OTHER_KEY);
  expect(again.files.getBlob(row.id)).toEqual(new Uint8Array(1000).fill(3));
  expect(again.settings.get('late')).toBe('yes');
});

test('a copy that was staged before the database was written anew is made again', async () => {
  const database = newDatabase();
  const kept = addBlob(database, new Uint8Array(1000).fill(3));
  const staged = await database.stageRekey(CHANGE);
  await database.rebuild(keyOfDatabase);
  expect(database.files.getBlob(kept.id)).toHaveLength(1000);
  const later = addBlob(database, new Uint8Array(2000).fill(4));
  await staged.commit();
  database.close();
  const again = openWith(database.path, OTHER_KEY);
  for (const row of [kept, later]) expect(again.files.getBlob(row.id)).toHaveLength(row.sizeBytes);
  expect(readdirSync(dirname(database.path)).filter((name) => name.startsWith('data.db.re'))).toEqual([
    'data.db.reserve',
  ]);
});

test('what is discarded changes nothing', async () => {
  const database = newDatabase();
  const staged = await database.stageRekey(CHANGE);
  expect(existsSync(`${database.path}.rekey`)).toBe(true);
  staged.discard();
  expect(existsSync(`${database.path}.rekey`)).toBe(false);
  database.settings.set('still', 'here');
  database.close();
  expect(openWith(database.path, KEY).settings.get('still')).toBe('here');
});

test('what a crash left of a change of key is removed at the next opening', () => {
  const database = newDatabase();
  database.close();
  for (const suffix of ['', '.new', '.new-journal']) writeFileSync(`${database.path}.rekey${suffix}`, 'x');
  openWith(database.path, KEY);
  expect(readdirSync(dirname(database.path)).filter((name) => name.includes('rekey'))).toEqual([]);
});

/** What is in a file, whatever becomes of its name. */
function watch(path: string): () => Buffer {
  const descriptor = openSync(path, 'r');
  onTestFinished(() => {
    closeSync(descriptor);
  });
  return () => {
    const bytes = Buffer.alloc(fstatSync(descriptor).size);
    readSync(descriptor, bytes, 0, bytes.length, 0);
    return bytes;
  };
}

function expectZeros(bytes: Buffer): void {
  expect(bytes.length).toBeGreaterThan(0);
  expect(bytes.some((byte) => byte !== 0)).toBe(false);
}

test('the old database is overwritten once the new one has its name', async () => {
  const database = newDatabase();
  addBlob(database, new Uint8Array(90_000).fill(7));
  database.checkpoint('truncate');
  const old = watch(database.path);
  expect(old().length).toBeGreaterThan(90_000);
  await (await database.stageRekey(CHANGE)).commit();
  expectZeros(old());
  database.close();
  expect(readdirSync(dirname(database.path)).sort()).toEqual(['data.db', 'data.db.reserve']);
});

test('a hard link to the old database is a copy, and left as it is', async () => {
  const database = newDatabase();
  const row = addBlob(database, new Uint8Array(5_000).fill(7));
  const copy = join(temporaryFolder(), 'copy.db');
  linkSync(database.path, copy);
  await (await database.stageRekey(CHANGE)).commit();
  database.close();
  expect(openWith(copy, KEY).files.getBlob(row.id)).toEqual(new Uint8Array(5_000).fill(7));
});

test('killed before it was overwritten, the old database is at the next opening', async () => {
  const database = newDatabase();
  const row = addBlob(database, new Uint8Array(5_000).fill(7));
  database.checkpoint('truncate');
  const replaced = `${database.path}.replaced`;
  copyFileSync(database.path, replaced);
  (await database.stageRekey(CHANGE)).discard();
  expect(existsSync(replaced)).toBe(false);

  copyFileSync(database.path, replaced);
  const old = watch(replaced);
  database.close();
  expect(openWith(database.path, KEY).files.getBlob(row.id)).toHaveLength(5_000);
  expect(existsSync(replaced)).toBe(false);
  expectZeros(old());
});

test('killed before it was replaced, the database only loses its second name', async () => {
  const database = newDatabase();
  const row = addBlob(database, new Uint8Array(5_000).fill(7));
  database.close();
  linkSync(database.path, `${database.path}.replaced`);
  const again = openWith(database.path, KEY);
  expect(existsSync(`${database.path}.replaced`)).toBe(false);
  expect(again.files.getBlob(row.id)).toHaveLength(5_000);
  // And it is still held: looking at the second name has opened nothing.
  const other = new OtherProcess('open-and-hold.ts', database.path, Buffer.from(KEY).toString('hex'));
  expect(await other.line()).toBe('IN_USE');
});

test('copies that are not put in place are overwritten before they go', async () => {
  const database = newDatabase();
  addBlob(database, new Uint8Array(5_000).fill(7));
  const staged = await database.stageRekey(CHANGE);
  const copy = watch(`${database.path}.rekey`);
  staged.discard();
  expectZeros(copy());
  database.close();
  writeFileSync(`${database.path}.rekey.new`, 'x'.repeat(9000));
  const left = watch(`${database.path}.rekey.new`);
  openWith(database.path, KEY);
  expectZeros(left());
});

test('while a page scan runs the key stays, and a damaged page is found before anything has changed', async () => {
  const database = newDatabase();
  for (let number = 0; number < 40; number += 1) addBlob(database, new Uint8Array(90_000).fill(number));
  const staged = await database.stageRekey(CHANGE);
  const seen: boolean[] = [];
  const onProgress = (): void => {
    seen.push(staged.isInPlace);
  };
  const scan = database.scanPages({ key: KEY, onProgress });
  const committed = staged.commit();
  expect((await scan).damagedPages).toEqual([]);
  expect(seen).toContain(false);
  expect(seen).not.toContain(true);
  await committed;
  expect(staged.isInPlace).toBe(true);
  database.close();

  const bytes = readFileSync(database.path);
  bytes[20 * 4096 + 100] = (bytes[20 * 4096 + 100] ?? 0) ^ 1;
  writeFileSync(database.path, bytes);
  const damaged = openWith(database.path, OTHER_KEY);
  await expectRejection('CORRUPT', damaged.stageRekey({ key: OTHER_KEY, newKey: KEY }));
  expect(readdirSync(dirname(database.path)).filter((name) => name.includes('rekey'))).toEqual([]);
  expect(damaged.files.count()).toBe(40);
});

test('inside a transaction it is refused, and a key of another size is', async () => {
  const database = newDatabase();
  const refused = database.transaction(() => [database.stageRekey(CHANGE)]);
  for (const each of refused) await expectRejection('INVALID', each);
  await expectRejection('INVALID', database.stageRekey({ key: KEY, newKey: new Uint8Array(31) }));
});

test('kill -9 at any time leaves a whole database under one of the two keys', async () => {
  const database = newDatabase();
  const rows = [100, 40_000, 90_000].map((size) => addBlob(database, new Uint8Array(size).fill(1)));
  database.close();
  const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');
  const found = new Set<string>();
  let current: 'first' | 'second' = 'first';
  for (let round = 0; round < 12; round += 1) {
    const [first, second] = current === 'first' ? [KEY, OTHER_KEY] : [OTHER_KEY, KEY];
    const child = new OtherProcess('rekey-until-killed.ts', database.path, hex(first), hex(second));
    expect(await child.line()).toBe('open');
    for (let lines = 0; lines < round % 3; lines += 1) await child.line();
    await new Promise((done) => setTimeout(done, (round * 7) % 23));
    await child.kill();
    const opening = [KEY, OTHER_KEY].filter((key) => {
      try {
        const opened = openDatabase({ path: database.path, key });
        for (const row of rows) expect(opened.files.getBlob(row.id)).toHaveLength(row.sizeBytes);
        expect(opened.integrityCheck()).toEqual([]);
        opened.close();
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'WRONG_KEY' });
        return false;
      }
    });
    expect(opening, `round ${String(round)}`).toHaveLength(1);
    current = opening[0] === KEY ? 'first' : 'second';
    found.add(current);
  }
  // Otherwise the children were killed too early to show anything.
  expect(found.size).toBe(2);
});

describe.skipIf(!canMount)('on a full disk (needs root, to mount a small one)', () => {
  test('a change of key that does not fit fails before anything has changed', async () => {
    const database = newDatabase(join(smallDisk(8 << 20), 'data.db'));
    for (let number = 0; number < 40; number += 1) addBlob(database, new Uint8Array(90_000).fill(number));
    await expectRejection('NO_SPACE', database.stageRekey(CHANGE));
    expect(readdirSync(dirname(database.path)).filter((name) => name.includes('rekey'))).toEqual([]);
    expect(database.files.count()).toBe(40);
    database.close();
    expect(openWith(database.path, KEY).integrityCheck()).toEqual([]);
  });
});
