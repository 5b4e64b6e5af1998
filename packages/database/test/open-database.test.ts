import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { truncateSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDatabase, openDatabase } from '../src/index.ts';
import { Connection } from '../src/connection.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { expectError } from './support/expect-error.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, OTHER_KEY, addBlob, fileRow, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

// Real processes and files, on machines that do other things as well.

function closedDatabase(): string {
  const database = newDatabase();
  for (let number = 0; number < 50; number += 1) addBlob(database, new Uint8Array(5000).fill(number));
  database.close();
  return database.path;
}

describe('creating', () => {
  test('makes an encrypted file that only its owner may read, and leaves nothing else', () => {
    const path = closedDatabase();
    expect(readFileSync(path).subarray(0, 16).toString('latin1')).not.toBe('SQLite format 3\0');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['data.db', 'data.db.reserve']);
  });

  test('sets no space aside where that is not wanted, neither at opening nor at closing', () => {
    const path = closedDatabase();
    rmSync(`${path}.reserve`);
    const database = openDatabase({ path, key: KEY, keepsReserve: false });
    expect(readdirSync(join(path, '..'))).not.toContain('data.db.reserve');
    database.close();
    expect(readdirSync(join(path, '..'))).toEqual(['data.db']);
  });

  test('replaces nothing', () => {
    const path = closedDatabase();
    const before = readFileSync(path);
    expectError('EXISTS', () => createDatabase({ path, key: KEY }));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('replaces nothing while the database is open, and keeps its lock', async () => {
    const database = newDatabase();
    expectError('EXISTS', () => createDatabase({ path: database.path, key: KEY }));
    expect(await secondProcessSays(database.path)).toBe('IN_USE');
  });

  test('refuses a name beside which the WAL of a lost database lies', () => {
    const path = join(temporaryFolder(), 'data.db');
    writeFileSync(`${path}-wal`, 'all that is left');
    expectError('EXISTS', () => createDatabase({ path, key: KEY }));
    expect(readFileSync(`${path}-wal`, 'utf8')).toBe('all that is left');
  });

  test('takes away what a crash left of an earlier attempt', () => {
    const path = join(temporaryFolder(), 'data.db');
    writeFileSync(`${path}.new`, 'half');
    writeFileSync(`${path}.new-wal`, 'half');
    newDatabase(path).close();
    expect(readdirSync(join(path, '..'))).toEqual(['data.db', 'data.db.reserve']);
  });

  test('refuses a key of another length and leaves nothing', () => {
    const folder = temporaryFolder();
    for (const length of [0, 16, 31, 33]) {
      expectError('INVALID', () =>
        createDatabase({ path: join(folder, 'data.db'), key: new Uint8Array(length) }),
      );
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says that the folder does not exist', () => {
    expectError('NOT_FOUND', () =>
      createDatabase({ path: join(temporaryFolder(), 'no', 'data.db'), key: KEY }),
    );
  });

  test('does not take a name with white space at its end, which the driver would cut off', () => {
    const folder = temporaryFolder();
    expectError('INVALID', () => createDatabase({ path: join(folder, 'data.db '), key: KEY }));
    const inside = join(folder, ' a folder ');
    mkdirSync(inside);
    expect(newDatabase(join(inside, 'file:data.db?mode=ro')).files.count()).toBe(0);
  });
});

describe('opening', () => {
  test('gives back what was written before', () => {
    const database = newDatabase();
    const row = addBlob(database, Buffer.from('hello'));
    database.close();
    const again = reopen(database.path);
    expect(again.files.list().rows).toEqual([row]);
    expect(again.files.getBlob(row.id)).toEqual(new Uint8Array(Buffer.from('hello')));
    expect(again.schemaVersion).toBe(1);
  });

  test('leaves the key as it was', () => {
    const key = KEY.slice();
    const path = join(temporaryFolder(), 'data.db');
    createDatabase({ path, key }).close();
    expect(key).toEqual(KEY);
  });

  test('refuses another key, also one that differs in a bit', () => {
    const path = closedDatabase();
    expectError('WRONG_KEY', () => openDatabase({ path, key: OTHER_KEY }));
    const key = KEY.slice();
    key[31] = (key[31] ?? 0) ^ 1;
    expectError('WRONG_KEY', () => openDatabase({ path, key }));
    expect(reopen(path).files.count()).toBe(50);
  });

  test('with another key does no harm to changes that are still in the WAL', () => {
    const database = newDatabase();
    database.settings.set('last', 'change');
    const copy = join(temporaryFolder(), 'data.db');
    for (const suffix of ['', '-wal']) copyInAnotherProcess(database.path + suffix, copy + suffix);
    expect(statSync(`${copy}-wal`).size).toBeGreaterThan(0);
    expectError('WRONG_KEY', () => openDatabase({ path: copy, key: OTHER_KEY }));
    expect(reopen(copy).settings.get('last')).toBe('change');
  });

  test('refuses an unencrypted database and does not touch it', () => {
    const path = join(temporaryFolder(), 'data.db');
    const plain = new DatabaseSync(path);
    plain.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)');
    const copy = join(temporaryFolder(), 'data.db');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, copy + suffix);
    plain.close();
    const before = readFileSync(`${copy}-wal`);
    expectError('PLAINTEXT', () => openDatabase({ path: copy, key: KEY }));
    expect(readFileSync(`${copy}-wal`).equals(before)).toBe(true);
  });

  test('refuses what is not a database', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'data.db');
    for (const size of [0, 1, 4095, 10_000]) {
      writeFileSync(path, new Uint8Array(size).fill(65));
      expectError('NOT_A_DATABASE', () => openDatabase({ path, key: KEY }));
      expect(statSync(path).size).toBe(size);
    }
    expectError('NOT_A_DATABASE', () => openDatabase({ path: folder, key: KEY }));
  });

  test('says that a file is missing, and does not make one', () => {
    const folder = temporaryFolder();
    expectError('NOT_FOUND', () => openDatabase({ path: join(folder, 'data.db'), key: KEY }));
    expect(readdirSync(folder)).toEqual([]);
  });

  test('refuses a file that was cut off', () => {
    const path = closedDatabase();
    truncateSync(path, 4096 * 20);
    expectError('CORRUPT', () => openDatabase({ path, key: KEY }));
    truncateSync(path, 4096 * 20 - 100);
    expectError('CORRUPT', () => openDatabase({ path, key: KEY }));
    truncateSync(path, 1000);
    expectError('NOT_A_DATABASE', () => openDatabase({ path, key: KEY }));
  });

  test('refuses a schema of a later version and leaves it as it is', () => {
    const path = closedDatabase();
    const connection: Connection = openKeyedConnection(path, KEY);
    connection.exec('PRAGMA user_version = 2');
    connection.close();
    expectError('SCHEMA_TOO_NEW', () => openDatabase({ path, key: KEY }));
    const after = openKeyedConnection(path, KEY);
    expect(after.pragma('user_version')).toBe(2);
    after.close();
  });

  test.skipIf(process.getuid?.() === 0)(
    'says that it is not permitted (needs a user other than root)',
    () => {
      const path = closedDatabase();
      chmodSync(path, 0);
      expectError('NOT_PERMITTED', () => openDatabase({ path, key: KEY }));
    },
  );
});

describe('one owner', () => {
  test('a second opening in this process is refused under any name, and costs no lock', async () => {
    const database = newDatabase();
    const link = join(temporaryFolder(), 'link.db');
    symlinkSync(database.path, link);
    expectError('IN_USE', () => openDatabase({ path: database.path, key: KEY }));
    expectError('IN_USE', () => openDatabase({ path: link, key: KEY }));
    expect(await secondProcessSays(database.path)).toBe('IN_USE');
    expect(database.files.count()).toBe(0);
  });

  test('a second process is refused, also when nothing was read or written yet', async () => {
    const { path } = newDatabase();
    expect(await secondProcessSays(path)).toBe('IN_USE');
  });

  test('another process keeps this one out, until it is killed', async () => {
    const path = closedDatabase();
    const other = new OtherProcess('open-and-hold.ts', path, Buffer.from(KEY).toString('hex'));
    expect(await other.line()).toBe('open');
    expectError('IN_USE', () => openDatabase({ path, key: KEY }));
    await other.kill();
    expect(reopen(path).files.count()).toBe(50);
  });

  test('closing gives the database free, also twice', async () => {
    const database = newDatabase();
    database.close();
    database.close();
    expect(await secondProcessSays(database.path)).toBe('open');
  });

  test('a closed database says so', () => {
    const database = newDatabase();
    database.close();
    expectError('CLOSED', () => database.files.count());
    expectError('CLOSED', () => {
      database.files.insert(fileRow());
    });
    expectError('CLOSED', () => database.transaction(() => 1));
    expectError('CLOSED', () => {
      database.checkpoint('passive');
    });
  });

  test('leaving the scope closes it', () => {
    const path = join(temporaryFolder(), 'data.db');
    {
      using database = createDatabase({ path, key: KEY });
      database.settings.set('a', 'b');
    }
    expect(readdirSync(join(path, '..'))).toEqual(['data.db', 'data.db.reserve']);
    expect(reopen(path).settings.get('a')).toBe('b');
  });
});

async function secondProcessSays(path: string): Promise<string | undefined> {
  const other = new OtherProcess('open-and-hold.ts', path, Buffer.from(KEY).toString('hex'));
  const line = await other.line();
  await other.kill();
  return line;
}

/** Closing the file here would drop the lock. */
function copyInAnotherProcess(from: string, to: string): void {
  expect(spawnSync('cp', [from, to]).status).toBe(0);
}
