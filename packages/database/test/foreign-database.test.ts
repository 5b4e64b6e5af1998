import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { setCipherKey } from '../src/cipher-key.ts';
import type { CipherKey } from '../src/cipher-key.ts';
import { openDriver } from '../src/driver.ts';
import type { DriverDatabase } from '../src/driver.ts';
import { createDatabase, openForeignDatabase } from '../src/index.ts';
import type { ForeignDatabase } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const RAW: CipherKey = { kind: 'raw', key: new Uint8Array(32).fill(9) };

/** Another program's database in a folder of its own, closed cleanly. */
function makeForeign(key: CipherKey, work: (driver: DriverDatabase) => void): string {
  const path = join(temporaryFolder(), 'data.db');
  writeFileSync(path, '');
  const driver = openDriver(path, { fileMustExist: true });
  setCipherKey(driver, key);
  work(driver);
  driver.close();
  return path;
}

function open(path: string, key: CipherKey = RAW): ForeignDatabase {
  const database = openForeignDatabase({ path, key });
  onTestFinished(() => {
    database[Symbol.dispose]();
  });
  return database;
}

describe('a foreign database', () => {
  test.each<[string, CipherKey]>([
    ['a raw key', RAW],
    ['a passphrase', { kind: 'passphrase', passphrase: Buffer.from('correct horse') }],
  ])('opens with %s, and with no other', (_, key) => {
    const path = makeForeign(key, (driver) => driver.exec(`CREATE TABLE t (a); INSERT INTO t VALUES ('x')`));
    expect(open(path, key).row('t', '1', ['a'])).toEqual({ a: { type: 'text', sizeBytes: 1, value: 'x' } });
    const other = { kind: 'passphrase', passphrase: Buffer.from('wrong') } as const;
    expectError('WRONG_KEY', () => openForeignDatabase({ path, key: other }));
  });

  test('gives every type as it is, and large values only by their size', () => {
    const path = makeForeign(RAW, (driver) => {
      driver.exec(`CREATE TABLE t (n, i, big, r, s, b);
        INSERT INTO t VALUES (NULL, -1, 9223372036854775807, 1.5, 'é', x'00ff'), (1, 2, 3, 4, zeroblob(70000), printf('%70000c', 'x'))`);
    });
    const database = open(path);
    expect(database.findColumns('t')).toEqual(['n', 'i', 'big', 'r', 's', 'b']);
    expect(database.row('t', '1', ['n', 'i', 'big', 'r', 's', 'b'])).toEqual({
      n: { type: 'null' },
      i: { type: 'integer', value: -1n },
      big: { type: 'integer', value: 2n ** 63n - 1n },
      r: { type: 'real', value: 1.5 },
      s: { type: 'text', sizeBytes: 2, value: 'é' },
      b: { type: 'blob', sizeBytes: 2, value: Buffer.from([0, 255]) },
    });
    expect(database.row('t', '2', ['s', 'b'])).toEqual({
      s: { type: 'blob', sizeBytes: 70_000 },
      b: { type: 'text', sizeBytes: 70_000 },
    });
    expect(database.bytes('t', '2', 's', 70_000)).toHaveLength(70_000);
    expectError('INVALID', () => database.bytes('t', '2', 's', 69_999));
    expectError('NOT_FOUND', () => database.bytes('t', '1', 'n', 10));
    expectError('NOT_FOUND', () => database.row('t', '3', ['n']));
  });

  test('has rowids up to the last bit, in pages', () => {
    const path = makeForeign(RAW, (driver) => {
      driver.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a); BEGIN');
      const insert = driver.prepare('INSERT INTO t VALUES (CAST(? AS INTEGER), 1)');
      for (let index = 0; index < 2_500; index++)
        insert.run(String(1_175_928_847_299_117_056n + BigInt(index)));
      insert.run('-5');
      driver.exec('COMMIT');
    });
    const { rowids, isIncomplete } = open(path).rowids('t');
    expect([rowids.length, isIncomplete, new Set(rowids).size]).toEqual([2_501, false, 2_501]);
    expect(rowids.slice(0, 3)).toEqual(['-5', '1175928847299117056', '1175928847299117057']);
  });

  test('has no tables but plain ones', () => {
    const path = makeForeign(RAW, (driver) => {
      driver.exec(`CREATE TABLE t (a, b AS (a * 2)); CREATE VIEW v AS SELECT 1 AS a; CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID;
        CREATE VIRTUAL TABLE f USING fts5(a)`);
    });
    const database = open(path);
    expect(database.findColumns('t')).toEqual(['a']);
    for (const name of ['v', 'w', 'f', 'none', 'sqlite_schema"; DROP']) {
      expect(database.findColumns(name)).toBeUndefined();
    }
  });

  test('sees what is only in the log of a program that crashed', () => {
    const path = makeForeign(RAW, (driver) => driver.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)'));
    const driver = openDriver(path, { fileMustExist: true });
    setCipherKey(driver, RAW);
    driver.pragma('journal_mode = WAL');
    driver.exec('INSERT INTO t VALUES (2)');
    const copy = join(temporaryFolder(), 'copy.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    driver.close();
    expect(open(copy).rowids('t').rowids).toEqual(['1', '2']);
  });

  test('is read, never written', () => {
    const path = makeForeign(RAW, (driver) => driver.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)'));
    const before = readFileSync(path);
    const database = open(path);
    database.rowids('t');
    database[Symbol.dispose]();
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['data.db']);
    expectError('CLOSED', () => database.rowids('t'));
  });

  test('is not the one that this process holds, nor unencrypted, nor something else', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'own.db');
    const own = createDatabase({ path, key: new Uint8Array(32) });
    onTestFinished(() => {
      own[Symbol.dispose]();
    });
    expectError('IN_USE', () => openForeignDatabase({ path, key: RAW }));
    const plain = join(folder, 'plain.db');
    const driver = openDriver(plain, { fileMustExist: false });
    driver.exec('CREATE TABLE t (a)');
    driver.close();
    expectError('PLAINTEXT', () => openForeignDatabase({ path: plain, key: RAW }));
    writeFileSync(join(folder, 'short'), 'x');
    expectError('NOT_A_DATABASE', () => openForeignDatabase({ path: join(folder, 'short'), key: RAW }));
    expectError('NOT_FOUND', () => openForeignDatabase({ path: join(folder, 'none'), key: RAW }));
    expect(existsSync(join(folder, 'none'))).toBe(false);
    const other = makeForeign(RAW, (made) => made.exec('CREATE TABLE t (a)'));
    const short: CipherKey = { kind: 'raw', key: new Uint8Array(31) };
    expectError('INVALID', () => openForeignDatabase({ path: other, key: short }));
  });
});

describe('damage in a foreign database', () => {
  /** 40 rows of two pages each: a leaf of several rows, and each row's own overflow page. */
  function withRows(): string {
    return makeForeign(RAW, (driver) => {
      driver.exec('CREATE TABLE t (name, data, tail)');
      const insert = driver.prepare('INSERT INTO t VALUES (?, zeroblob(6000), ?)');
      for (let row = 1; row <= 40; row++) insert.run(`row ${String(row)}`, `tail ${String(row)}`);
    });
  }

  function damagePage(path: string, page: number): void {
    const bytes = readFileSync(path);
    const at = (page - 1) * 4096 + 100;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
  }

  test('in any one page but the first loses at most the rows of that page, and names the others right', () => {
    const path = withRows();
    const pages = readFileSync(path).length / 4096;
    let lostRows = 0;
    let lostValues = 0;
    for (let page = 3; page <= pages; page++) {
      const copy = join(temporaryFolder(), 'copy.db');
      copyFileSync(path, copy);
      damagePage(copy, page);
      const database = open(copy);
      const { rowids, isIncomplete } = database.rowids('t');
      if (isIncomplete) lostRows++;
      else expect(rowids).toHaveLength(40);
      // A leaf holds several rows; all others are found.
      expect(rowids.length).toBeGreaterThan(20);
      const damaged = rowids.filter((rowid) => {
        const { name, data, tail } = database.row('t', rowid, ['name', 'data', 'tail'], 100);
        expect(name).toMatchObject({ value: `row ${rowid}` });
        // What its header says; reading it is another matter.
        expect(data).toMatchObject({ type: 'blob', sizeBytes: 6000 });
        return tail.type === 'damaged';
      });
      expect(damaged.length).toBeLessThanOrEqual(1);
      for (const rowid of damaged) expectError('CORRUPT', () => database.bytes('t', rowid, 'data', 10_000));
      lostValues += damaged.length;
    }
    expect(lostRows).toBeGreaterThan(0);
    expect(lostValues).toBe(40);
  });
});
