import { sha256 } from '@coffer/crypto';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase, putRebuiltInPlace, rebuildDatabase } from '../src/index.ts';
import type { CofferDatabase, FileRow, RebuiltDatabase } from '../src/index.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { expectError } from './support/expect-error.ts';
import { signFrames } from './support/log-bytes.ts';
import { KEY, OTHER_KEY, fileRow, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const PAGE = 4096;
const SEALED_HASH = new Uint8Array(32).fill(5);
const NOW_MS = 1_800_000_000_000;

interface Sample {
  readonly path: string;
  readonly rows: readonly FileRow[];
}

function contentOf(row: FileRow): Uint8Array {
  return new Uint8Array(row.sizeBytes).fill(row.name.length);
}

/** Files on every kind of page: rows and index over several pages, bytes beside them and on pages of their own, long names, tags, a transfer, settings. */
function fill(database: CofferDatabase, files = 40): FileRow[] {
  const rows: FileRow[] = [];
  for (let number = 0; number < files; number += 1) {
    const isSealed = number % 4 === 3;
    const name =
      number === 8
        ? 'ö'.repeat(2_000)
        : `${number % 5 === 0 ? 'tagged' : 'file'} ${String(number)}${'.'.repeat(number % 50)}`;
    const folder = number % 2 === 0 ? 'letters/old' : '';
    const row = fileRow({
      folder,
      name,
      sizeBytes: isSealed ? 200_000 : 10 + (number % 40) * 300,
      placement: isSealed ? 'sealed' : 'blob',
      sha256: SEALED_HASH,
    });
    const whole = isSealed ? row : { ...row, sha256: sha256(contentOf(row)) };
    database.transaction(() => {
      database.files.insert(whole);
      if (!isSealed) database.files.insertBlob(row.id, contentOf(row));
      if (number % 5 === 0)
        for (let tag = 0; tag < 30; tag += 1)
          database.tags.add(row.id, `tag ${String(tag)} ${'x'.repeat(50)}`);
    });
    rows.push(whole);
  }
  database.countCommits();
  database.settings.set('language', 'en');
  database.transfers.create({
    id: 'transfer 1',
    direction: 'receive',
    name: 'incoming',
    mimeType: 'text/plain',
    sizeBytes: 9,
    chunkSizeBytes: 4,
  });
  database.tombstones.add(fileRow().id, NOW_MS);
  return rows;
}

function closedSample(files?: number): Sample {
  const database = newDatabase();
  const rows = fill(database, files);
  database.close();
  return { path: database.path, rows };
}

async function rebuild(path: string, key: Uint8Array = KEY): Promise<RebuiltDatabase> {
  return await rebuildDatabase({
    path,
    key,
    nowMs: () => NOW_MS,
    hashSealed: () => Promise.resolve(SEALED_HASH),
    nameBytes: (id) => Promise.resolve({ name: `recovered-${id}`, mimeType: 'text/plain' }),
    finish: (settings) => {
      settings.set('rebuilt', 'yes');
    },
  });
}

/** Zeros a page, as a disk does that has lost it. */
function losePages(path: string, ...numbers: readonly number[]): void {
  const bytes = readFileSync(path);
  for (const number of numbers) bytes.fill(0, (number - 1) * PAGE, number * PAGE);
  writeFileSync(path, bytes);
}

/** What each page is for, as SQLite says. */
function ownersOf(path: string): readonly string[] {
  const connection = openKeyedConnection(path, KEY);
  try {
    const owners = Array.from({ length: statSync(path).size / PAGE }, () => 'none');
    for (const row of connection.all('SELECT pageno, name FROM dbstat')) {
      const { pageno, name } = row as { readonly pageno: number; readonly name: string };
      owners[pageno - 1] = name;
    }
    return owners;
  } finally {
    connection.close();
  }
}

/** A copy in a folder of its own, with the reserve that has a copy of the salt. */
function copyOf({ path }: Sample): string {
  const copy = join(temporaryFolder(), 'data.db');
  copyFileSync(path, copy);
  copyFileSync(`${path}.reserve`, `${copy}.reserve`);
  return copy;
}

test('whatever page is lost, no file is that has its content elsewhere', async () => {
  const sample = closedSample();
  const owners = ownersOf(sample.path);
  expect([...new Set(owners)]).toEqual(
    expect.arrayContaining([
      'sqlite_schema',
      'files',
      'files_by_path',
      'file_blobs',
      'file_tags',
      'settings',
    ]),
  );
  let withoutBytes = 0;
  for (const [index, owner] of owners.entries()) {
    const number = index + 1;
    const path = copyOf(sample);
    losePages(path, number);
    const rebuilt = await rebuild(path);
    const name = `page ${String(number)} (${owner})`;
    expect(rebuilt, name).toMatchObject({
      damagedPages: [number],
      pageCount: owners.length,
      withNewNames: [],
    });
    expect(rebuilt.files, name).toBe(sample.rows.length);
    withoutBytes += rebuilt.withoutBytes.length;
    if (owner !== 'file_blobs') expect(rebuilt.withoutBytes, name).toEqual([]);
    expectRows(path, sample, rebuilt, {
      tags: owner !== 'file_tags',
      settings: owner !== 'settings',
      transfers: owner !== 'file_transfers',
      name,
    });
    expect(readFileSync(`${path}.damaged`).length, name).toBe(owners.length * PAGE);
  }
  expect(withoutBytes).toBeGreaterThan(10);
});

function expectRows(
  path: string,
  { rows }: Sample,
  { withoutBytes }: RebuiltDatabase,
  {
    tags,
    settings,
    transfers,
    name,
  }: {
    readonly tags: boolean;
    readonly settings: boolean;
    readonly transfers: boolean;
    readonly name: string;
  },
): void {
  const database = openDatabase({ path, key: KEY });
  try {
    expect(database.integrityCheck(), name).toEqual([]);
    const without = new Set(withoutBytes.map(({ id }) => id));
    for (const row of rows) {
      const isLost = without.has(row.id);
      expect(database.files.get(row.id), name).toEqual({ ...row, condition: isLost ? 'damaged' : 'ok' });
      if (row.placement === 'blob' && !isLost)
        expect(contentOf(row), name).toEqual(new Uint8Array(database.files.getBlob(row.id) ?? []));
      if (tags) expect(database.tags.of(row.id), name).toHaveLength(row.name.startsWith('tagged') ? 30 : 0);
    }
    if (settings) expect(database.settings.get('language'), name).toBe('en');
    expect(database.settings.get('rebuilt'), name).toBe('yes');
    expect(database.tombstones.list(), name).toEqual([]);
    if (transfers) expect(database.transfers.get('transfer 1').name, name).toBe('incoming');
  } finally {
    database.close();
  }
}

test('with the first page and half of all others lost, what is on the others comes back', async () => {
  const sample = closedSample(200);
  const owners = ownersOf(sample.path);
  const path = copyOf(sample);
  const lost = owners.flatMap((_, index) => (index === 0 || index % 2 === 1 ? [index + 1] : []));
  losePages(path, ...lost);
  const rebuilt = await rebuild(path);
  expect(rebuilt.damagedPages).toEqual(lost);
  const database = reopen(path);
  expect(database.integrityCheck()).toEqual([]);
  expect(rebuilt.withNewNames.length).toBeGreaterThan(0);
  for (const { id, name } of rebuilt.withNewNames)
    expect(database.files.get(id)).toMatchObject({ name, condition: 'ok' });
  const whole = sample.rows.filter(({ id }) => database.files.find(id)?.condition === 'ok');
  expect(whole.length).toBeGreaterThan(20);
  for (const row of whole) {
    if (row.placement === 'blob')
      expect(contentOf(row)).toEqual(new Uint8Array(database.files.getBlob(row.id) ?? []));
  }
  // Each file is one of these, and none is two of them.
  const outcomes = [...whole, ...rebuilt.withoutBytes].map(({ id }) => id);
  expect(new Set(outcomes).size).toBe(outcomes.length);
});

test('what is in the log counts, up to the last commit', async () => {
  const database = newDatabase();
  const before = fill(database, 8);
  database.checkpoint('truncate');
  const after = fileRow({
    name: 'only in the log',
    placement: 'sealed',
    sizeBytes: 200_000,
    sha256: SEALED_HASH,
  });
  database.files.insert(after);
  database.files.rename(before[0]?.id ?? after.id, 'moved', 'in the log');
  database.files.remove(before[1]?.id ?? after.id);
  const path = copyOf({ path: database.path, rows: [] });
  copyFileSync(`${database.path}-wal`, `${path}-wal`);
  losePages(path, 1);
  const log = readFileSync(`${path}-wal`);
  // A commit that was cut short.
  writeFileSync(`${path}-wal`, Buffer.concat([log, log.subarray(32, 32 + 24 + PAGE)]));
  await rebuild(path);
  const rebuilt = reopen(path);
  expect(rebuilt.files.find(after.id)?.name).toBe('only in the log');
  expect(rebuilt.files.find(before[0]?.id ?? after.id)).toMatchObject({
    folder: 'moved',
    name: 'in the log',
  });
  expect(rebuilt.files.find(before[1]?.id ?? after.id)).toBeUndefined();
  expect(rebuilt.integrityCheck()).toEqual([]);
  expect(readdirSync(dirname(path)).sort()).toEqual(
    expect.arrayContaining(['data.db', 'data.db.damaged', 'data.db.damaged-wal']),
  );
});

test('the counter of commits goes on where the first page is whole', async () => {
  const sample = closedSample();
  const path = copyOf(sample);
  const database = openDatabase({ path, key: KEY });
  const { commitCount } = database;
  database.close();
  expect(commitCount).toBeGreaterThan(0);
  losePages(path, ownersOf(path).lastIndexOf('files') + 1);
  await rebuild(path);
  expect(reopen(path).commitCount).toBe(commitCount);
});

test('without its salt a database is rebuilt with the copy that is in the reserve, and not without that', async () => {
  const sample = closedSample();
  const path = copyOf(sample);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3);
  writeFileSync(path, bytes);
  const without = join(temporaryFolder(), 'data.db');
  copyFileSync(path, without);
  await expect(rebuild(without)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  expect(readdirSync(dirname(without))).toEqual(['data.db']);
  expect(await rebuild(path)).toMatchObject({
    files: sample.rows.length,
    damagedPages: [1],
    withoutBytes: [],
  });
});

test('a file whose row is lost, and whose content cannot be read to its end, keeps its name', async () => {
  const sample = closedSample();
  const path = copyOf(sample);
  const lost = ownersOf(path).flatMap((owner, index) => (owner === 'files' ? [index + 1] : []));
  losePages(path, ...lost);
  const rebuilt = await rebuildDatabase({
    path,
    key: KEY,
    nowMs: () => NOW_MS,
    hashSealed: () => Promise.resolve(undefined),
    nameBytes: () => Promise.reject(new Error('is not asked')),
    finish: () => undefined,
  });
  const sealed = sample.rows.filter(({ placement }) => placement === 'sealed');
  expect(rebuilt.files).toBe(sample.rows.length);
  expect(rebuilt.withoutBytes.map(({ id }) => id).sort()).toEqual(sealed.map(({ id }) => id).sort());
  const database = reopen(path);
  for (const row of sealed) {
    expect(database.files.get(row.id)).toEqual({ ...row, sha256: new Uint8Array(32), condition: 'damaged' });
  }
});

test('a log says no more of what counts than there is', async () => {
  const database = newDatabase();
  fill(database, 8);
  database.checkpoint('truncate');
  database.settings.set('only', 'in the log');
  const path = copyOf({ path: database.path, rows: [] });
  copyFileSync(`${database.path}-wal`, `${path}-wal`);
  const pages = statSync(path).size / PAGE;
  losePages(path, 1);
  const log = readFileSync(`${path}-wal`);
  // How many pages there are after the commit: of each frame, the second number.
  for (let frame = 32; frame < log.length; frame += 24 + PAGE) {
    if (log.readUInt32BE(frame + 4) !== 0) log.writeUInt32BE(0xff_ff_ff_ff, frame + 4);
  }
  signFrames(log);
  writeFileSync(`${path}-wal`, log);
  const rebuilt = await rebuild(path);
  expect(rebuilt.pageCount).toBeLessThanOrEqual(pages + 8);
  expect(reopen(path).settings.get('only')).toBe('in the log');
});

test('a change of key keeps the copy of the salt up to date', async () => {
  const database = newDatabase();
  fill(database);
  const staged = await database.stageRekey({ key: KEY, newKey: OTHER_KEY });
  await staged.commit();
  staged.discard();
  database.close();
  losePages(database.path, 1);
  expect((await rebuild(database.path, OTHER_KEY)).damagedPages).toEqual([1]);
});

test('another key rebuilds nothing, and nothing is touched', async () => {
  const { path } = closedSample();
  const before = readFileSync(path);
  await expect(rebuild(path, OTHER_KEY)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(readdirSync(dirname(path)).sort()).toEqual(['data.db', 'data.db.reserve']);
});

test('a damaged database that is kept already is never replaced', async () => {
  const sample = closedSample();
  const path = copyOf(sample);
  losePages(path, 1);
  writeFileSync(`${path}.damaged`, 'of an earlier time');
  await expect(rebuild(path)).rejects.toMatchObject({ code: 'EXISTS' });
  expect(readFileSync(`${path}.damaged`, 'utf8')).toBe('of an earlier time');
});

test('where there is no database, an empty one is made', async () => {
  const path = join(temporaryFolder(), 'data.db');
  expect(await rebuild(path)).toMatchObject({ files: 0, pageCount: 0 });
  expect(reopen(path).files.count()).toBe(0);
  expect(existsSync(`${path}.damaged`)).toBe(false);
});

test('an open database is not rebuilt', async () => {
  const database = newDatabase();
  await expect(rebuild(database.path)).rejects.toMatchObject({ code: 'IN_USE' });
});

test('given up, it leaves everything as it was', async () => {
  const { path } = closedSample();
  const cancel = new AbortController();
  const rebuilding = rebuildDatabase({
    path,
    key: KEY,
    nowMs: () => NOW_MS,
    hashSealed: () => Promise.resolve(undefined),
    nameBytes: () => Promise.reject(new Error('is not asked')),
    finish: () => undefined,
    signal: cancel.signal,
    onProgress: () => {
      cancel.abort(new Error('enough'));
    },
  });
  await expect(rebuilding).rejects.toThrow('enough');
  expect(readdirSync(dirname(path)).sort()).toEqual(['data.db', 'data.db.reserve']);
});

test('whatever a crash leaves between the renames, the next owner puts the new database in place', async () => {
  const sample = closedSample();
  const path = copyOf(sample);
  losePages(path, 1);
  writeFileSync(`${path}-wal`, 'a log');
  await rebuild(path);
  const [kept, log, rebuilt] = [`${path}.damaged`, `${path}.damaged-wal`, `${path}.rebuilt`];
  const newDatabaseBytes = readFileSync(path);
  const undo = [
    (): void => {
      renameSync(path, rebuilt);
    },
    (): void => {
      renameSync(kept, path);
    },
    (): void => {
      renameSync(log, `${path}-wal`);
    },
  ];
  for (let steps = 1; steps <= undo.length; steps += 1) {
    for (const step of undo.slice(0, steps)) step();
    expect(putRebuiltInPlace(path)).toBe(true);
    expect(readFileSync(path).equals(newDatabaseBytes)).toBe(true);
    expect(readFileSync(log, 'utf8')).toBe('a log');
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(statSync(kept).size).toBe(statSync(sample.path).size);
  }
  expect(putRebuiltInPlace(path)).toBe(false);
});

test('what a crash leaves of a new database that was not complete goes with the next opening', () => {
  const { path } = closedSample();
  for (const suffix of ['.new', '.new-wal']) writeFileSync(`${path}.rebuilt${suffix}`, 'rows');
  reopen(path).close();
  expect(readdirSync(dirname(path)).sort()).toEqual(['data.db', 'data.db.reserve']);
});

test('a database of a later schema is not rebuilt: what is new in it would be lost', async () => {
  const { path } = closedSample();
  const connection = openKeyedConnection(path, KEY);
  connection.exec('PRAGMA user_version = 99');
  connection.close();
  await expect(rebuild(path)).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' });
  expectError('SCHEMA_TOO_NEW', () => openDatabase({ path, key: KEY }));
});
