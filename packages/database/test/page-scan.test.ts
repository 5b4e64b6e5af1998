import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readFileSync, readSync, statSync, truncateSync } from 'node:fs';
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scanPages, scanPagesInChild } from '../src/index.ts';
import type { PageScanOptions, PageScanProgress } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, OTHER_KEY, addBlob, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

// Real processes and files, on machines that do other things as well.

const PAGE = 4096;

/** About 15 pages for each file. */
function closedDatabase(files = 20): string {
  const database = newDatabase();
  for (let number = 0; number < files; number += 1) addBlob(database, new Uint8Array(60_000).fill(number));
  database.close();
  return database.path;
}

/** As it is while it is in use: with free pages, which closing gives back. */
function databaseWithFreePages(files: number): string {
  const database = newDatabase();
  const rows = Array.from({ length: files }, (_, number) =>
    addBlob(database, new Uint8Array(60_000).fill(number)),
  );
  for (const row of rows.slice(0, files / 4)) database.files.remove(row.id);
  database.checkpoint('truncate');
  const path = join(temporaryFolder(), 'data.db');
  copyFileSync(database.path, path);
  return path;
}

function flip(path: string, offset: number): void {
  const descriptor = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(descriptor, byte, 0, 1, offset);
  byte[0] = (byte[0] ?? 0) ^ 0x10;
  writeSync(descriptor, byte, 0, 1, offset);
  closeSync(descriptor);
}

describe.each([
  ['in this process', scanPages],
  ['in a child process', scanPagesInChild],
])('scanning a closed database %s', (_, scan: (options: PageScanOptions) => ReturnType<typeof scanPages>) => {
  test('finds nothing wrong with a sound one', async () => {
    const path = closedDatabase();
    expect(await scan({ path, key: KEY })).toEqual({
      pageCount: statSync(path).size / PAGE,
      damagedPages: [],
    });
  });

  test('finds a flipped bit in ciphertext, IV and HMAC, each by its page', async () => {
    const path = closedDatabase();
    const pageCount = statSync(path).size / PAGE;
    flip(path, 16);
    flip(path, 3 * PAGE);
    flip(path, 4 * PAGE + 4020);
    flip(path, 5 * PAGE + 4095);
    flip(path, pageCount * PAGE - 1);
    expect((await scan({ path, key: KEY })).damagedPages).toEqual([1, 4, 5, 6, pageCount]);
  });

  test('finds pages that changed places, are zero, cut off, missing or too many', async () => {
    const path = closedDatabase();
    const pages = statSync(path).size / PAGE;
    const bytes = readFileSync(path);
    bytes.copy(bytes, 9 * PAGE, 8 * PAGE, 9 * PAGE);
    bytes.fill(0, 11 * PAGE, 12 * PAGE);
    writeFileSync(path, Buffer.concat([bytes, new Uint8Array(10)]));
    expect(await scan({ path, key: KEY })).toEqual({
      pageCount: pages + 1,
      damagedPages: [10, 12, pages + 1],
    });
    truncateSync(path, (pages - 2) * PAGE - 1);
    expect(await scan({ path, key: KEY })).toEqual({
      pageCount: pages,
      damagedPages: [10, 12, pages - 2, pages - 1, pages],
    });
  });

  test('finds every page wrong under another key, or when the salt is damaged', async () => {
    const path = closedDatabase();
    const { pageCount, damagedPages } = await scan({ path, key: OTHER_KEY });
    expect(damagedPages).toHaveLength(pageCount);
    flip(path, 0);
    expect((await scan({ path, key: KEY })).damagedPages).toHaveLength(pageCount);
  });

  test('reports progress up to the end', async () => {
    const path = closedDatabase();
    const reports: PageScanProgress[] = [];
    await scan({ path, key: KEY, onProgress: (progress) => reports.push(progress) });
    expect(reports.length).toBeGreaterThan(0);
    expect(reports[0]).toMatchObject({ pageCount: statSync(path).size / PAGE });
  });

  test('ends with the reason of the signal, before and while it runs', async () => {
    const path = closedDatabase();
    const reason = new Error('enough');
    await expect(scan({ path, key: KEY, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const running = scan({ path, key: KEY, signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  test('says what cannot be scanned', async () => {
    const path = join(temporaryFolder(), 'data.db');
    await expect(scan({ path, key: KEY })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    writeFileSync(path, 'short');
    await expect(scan({ path, key: KEY })).rejects.toMatchObject({ code: 'NOT_A_DATABASE' });
    await expect(scan({ path, key: KEY.subarray(1) })).rejects.toMatchObject({ code: 'INVALID' });
  });
});

test('damage of every single page is found, of free pages too, which integrity_check does not see', async () => {
  const path = databaseWithFreePages(4);
  const pageCount = statSync(path).size / PAGE;
  let unseen = 0;
  for (let page = 2; page <= pageCount; page += 1) {
    const offset = (page - 1) * PAGE + ((page * 997) % PAGE);
    flip(path, offset);
    expect((await scanPages({ path, key: KEY })).damagedPages).toEqual([page]);
    if (page % 10 === 0) {
      const copy = join(temporaryFolder(), 'data.db');
      copyFileSync(path, copy);
      if (integrityCheckPasses(copy)) unseen += 1;
    }
    flip(path, offset);
  }
  expect(unseen).toBeGreaterThan(0);
});

describe('while the database is open', () => {
  test('it is not read in this process', async () => {
    const { path } = newDatabase();
    await expect(scanPages({ path, key: KEY })).rejects.toMatchObject({ code: 'IN_USE' });
  });

  test('a child scans it, writing goes on, and no lock is lost', async () => {
    const database = newDatabase();
    for (let number = 0; number < 30; number += 1) addBlob(database, new Uint8Array(90_000).fill(number));
    const scanning = database.scanPages({ key: KEY });
    const held = database.walSizeBytes();
    for (let number = 0; number < 200; number += 1) addBlob(database, new Uint8Array(50_000).fill(number));
    expectError('IN_USE', () => {
      database.checkpoint('passive');
    });
    const scan = await scanning;
    expect(scan.damagedPages).toEqual([]);
    expect(scan.pageCount).toBeGreaterThan(600);
    expect(held).toBe(0);
    expect(
      await new OtherProcess('open-and-hold.ts', database.path, Buffer.from(KEY).toString('hex')).line(),
    ).toBe('IN_USE');
    database.checkpoint('truncate');
    expect(database.walSizeBytes()).toBe(0);
    expect((await database.scanPages({ key: KEY })).pageCount).toBeGreaterThan(scan.pageCount);
  });

  test('also the function alone lets nothing change the file meanwhile', async () => {
    const database = newDatabase();
    for (let number = 0; number < 30; number += 1) addBlob(database, new Uint8Array(90_000).fill(number));
    const scanning = [1, 2].map(() => scanPagesInChild({ path: database.path, key: KEY }));
    expect(database.walSizeBytes()).toBe(0);
    expectError('IN_USE', () => {
      database.checkpoint('passive');
    });
    for (let number = 0; number < 200; number += 1) addBlob(database, new Uint8Array(50_000).fill(number));
    for (const scan of await Promise.all(scanning)) expect(scan.damagedPages).toEqual([]);
    database.checkpoint('passive');
  });

  test('closing it ends the scan', async () => {
    const database = newDatabase();
    const scanning = database.scanPages({ key: KEY });
    database.close();
    await expect(scanning).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

test('a database whose last changes are still in the WAL is not scanned alone', async () => {
  const database = newDatabase();
  database.settings.set('a', 'b');
  const copy = join(temporaryFolder(), 'data.db');
  for (const suffix of ['', '-wal'])
    expect(spawnSync('cp', [database.path + suffix, copy + suffix]).status).toBe(0);
  await expect(scanPages({ path: copy, key: KEY })).rejects.toMatchObject({ code: 'IN_USE' });
  reopen(copy).close();
  expect((await scanPages({ path: copy, key: KEY })).damagedPages).toEqual([]);
});

test('the child runs from source without any flag', () => {
  const path = closedDatabase();
  const script = `
    import { scanPagesInChild } from ${JSON.stringify(join(import.meta.dirname, '..', 'src', 'page-scan-child.ts'))};
    const key = Uint8Array.from({ length: 32 }, (_, index) => index);
    console.log(JSON.stringify(await scanPagesInChild({ path: ${JSON.stringify(path)}, key })));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({ pageCount: statSync(path).size / PAGE, damagedPages: [] });
});

function integrityCheckPasses(path: string): boolean {
  try {
    const database = reopen(path);
    try {
      return database.integrityCheck().length === 0;
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}
