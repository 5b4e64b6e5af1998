import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { SecretKey } from '@coffer/crypto';
import { createDatabase, fileIdFromBytes, openDatabase } from '@coffer/database';
import type { CofferDatabase, FileRow } from '@coffer/database';
import type { FileStorage } from '../src/index.ts';
import { residueOf, tracesOf } from '../src/shred-rows.ts';
import { decryptedPages } from './decrypted-pages.ts';
import { KillMoment } from './kill-moment.ts';
import { KEY, allFiles, makeFolder, makeStorage, open, randomContent, sealedNames } from './support.ts';

/** Some pieces of 16 bytes from every page that the content may be in; one in 250 of them lies across two pages and is never found. */
function pieces(content: Uint8Array): Buffer[] {
  const all: Buffer[] = [];
  for (let at = 0; at + 16 <= content.length; at += 500) all.push(Buffer.from(content.subarray(at, at + 16)));
  return all;
}

/** Looks in every live file as it is, and in every page of the database and its log in clear. */
function findIn(directory: string, secrets: readonly Buffer[]): string[] {
  const places: [string, Buffer][] = [...allFiles(directory), ['pages', decryptedPages(directory, KEY)]];
  return places.flatMap(([place, bytes]) =>
    secrets
      .filter((secret) => bytes.includes(secret))
      .map((secret) => `${secret.toString('latin1')} in ${place}`),
  );
}

async function fill(storage: FileStorage, count: number): Promise<void> {
  await storage.saveFiles(
    Array.from({ length: count }, (_, number) => ({
      source: randomContent(500 + ((number * 7919) % 20_000)),
      options: { name: `neighbour ${String(number)}.bin`, folder: `around/${String(number % 7)}` },
    })),
  );
}

test('what was deleted without shred leaves the log soon after nothing was committed, also while the storage stays open', async () => {
  const { directory, storage } = await makeStorage();
  await fill(storage, 60);
  const content = randomContent(90_000);
  const { id } = await storage.saveFile(content, { name: 'private.bin' });
  // Not its beginning, which shares a page with other rows.
  const secrets = pieces(content.subarray(8192));
  await storage.deleteFile(id);
  expect(findIn(directory, secrets)).not.toEqual([]);
  await expect.poll(() => findIn(directory, secrets)).toEqual([]);
  await storage.saveFile(randomContent(90_000), { name: 'later' });
  expect(storage.listFiles().rows).toHaveLength(61);
});

describe('what was deleted with shred', () => {
  test.each([
    ['a BLOB', 90_000],
    ['a BLOB that fits in a row', 700],
    ['a sealed file', 300_000],
  ])('is nowhere in the live files: %s', async (_what, sizeBytes) => {
    const { directory, storage } = await makeStorage();
    await fill(storage, 60);
    const content = randomContent(sizeBytes);
    const options = {
      name: 'a very private name.txt',
      folder: 'a folder of its own',
      tags: ['a tag like no other'],
    };
    const { id, sha256, placement } = await storage.saveFile(content, options);
    await fill(storage, 60);
    const { folder } = storage.renameFile(id, { folder: 'another folder' });
    const texts = ['a very private name', options.folder, folder, 'a tag like no other'];
    const secrets: Buffer[] = texts.map((text) => Buffer.from(text));
    secrets.push(Buffer.from(sha256), Buffer.from(id, 'hex'));
    if (placement === 'blob') secrets.push(...pieces(content));
    else secrets.push(readFileSync(join(directory, 'files', `${id}.enc`)).subarray(40, 145));
    expect(findIn(directory, secrets).length).toBeGreaterThan(secrets.length * 0.95);

    const result = await storage.deleteFile(id, { shred: true });
    expect(result).toMatchObject({ pending: [] });
    expect(result.notShredded).toBeUndefined();
    expect(findIn(directory, secrets)).toEqual([]);
    expect(statSync(join(directory, 'data.db-wal')).size).toBe(0);
    expect(sealedNames(directory)).toEqual([]);
    expect(storage.listFiles().rows).toHaveLength(120);
    await storage.close();
    expect(findIn(directory, secrets)).toEqual([]);
  });

  test('is not between the rows of other files either, where SQLite leaves copies of rows that it moves', async () => {
    const remains: number[] = [];
    for (const shred of [false, true]) {
      const { directory, storage } = await makeStorage();
      const numbers = Array.from({ length: 2000 }, (_, number) => number);
      for (let start = 0; start < numbers.length; start += 500) {
        const files = numbers.slice(start, start + 500).map((number) => ({
          source: Buffer.from(`content-${String(number).padStart(8, '0')}`.repeat(1 + (number % 17))),
          options: { name: String(number) },
        }));
        await storage.saveFiles(files);
      }
      const { rows } = storage.listFiles({ limit: numbers.length });
      const removed = rows.filter(({ name }) => (Number(name) * 2_654_435_761) % 100 < 95);
      await storage.deleteFiles(
        removed.map(({ id }) => id),
        { shred },
      );
      const kept = rows.filter((row) => !removed.includes(row));
      const found = decryptedPages(directory, KEY)
        .toString('latin1')
        .match(/content-\d{8}/g);
      const left = new Set(found?.map((text) => Number(text.slice('content-'.length))));
      expect(kept.every(({ name }) => left.has(Number(name)))).toBe(true);
      remains.push(left.size - kept.length);
      expect(storage.listFiles({ limit: numbers.length }).rows).toHaveLength(kept.length);
    }
    // Without shred some are left: or else this test shows nothing.
    expect(remains[0]).toBeGreaterThan(0);
    expect(remains[1]).toBe(0);
  });

  test('is looked for by its folder and its tags, too, if no other file has them', () => {
    const directory = makeFolder();
    using database = createDatabase({ path: join(directory, 'data.db'), key: KEY });
    const add = (folder: string, ...tags: string[]): FileRow => {
      const id = fileIdFromBytes(randomContent(16));
      const row = { ...ROW, id, folder, name: 'x', sha256: randomContent(32) };
      database.files.insert(row);
      for (const tag of tags) database.tags.add(id, tag);
      return row;
    };
    const context = { database };
    add('shared folder/below', 'a shared tag');
    const removed = [
      add('shared folder', 'a shared tag', 'a private tag', 'short'),
      add('private folder/below'),
      add(''),
    ];
    const traces = tracesOf(context, removed);
    for (const { id } of removed) database.files.remove(id);
    const texts = residueOf(context, traces).map((bytes) => Buffer.from(bytes).toString());
    expect(texts).toContain('a private tag');
    expect(texts).toContain('private folder/below');
    for (const kept of ['a shared tag', 'shared folder', 'short', 'x', '']) expect(texts).not.toContain(kept);
    expect(texts).toHaveLength(2 * removed.length + 2);
  });

  test('stays marked while a damaged page keeps the database from being written anew', async () => {
    const directory = makeFolder();
    const first = await open(directory);
    const large = await first.storage.saveFile(randomContent(90_000), { name: 'large' });
    const sources = Array.from({ length: 2000 }, (_, number) => ({
      source: Buffer.from(`content-${String(number)}`.repeat(1 + (number % 17))),
      options: { name: String(number) },
    }));
    await first.storage.saveFiles(sources);
    const { rows } = first.storage.listFiles({ limit: 3000, minSizeBytes: 0, maxSizeBytes: 1000 });
    await first.storage.deleteFiles(rows.slice(0, 1900).map(({ id }) => id));
    await first.close();
    mark(directory);
    const path = join(directory, 'data.db');
    const whole = readFileSync(path);
    // The content of the first file is near the beginning.
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(20 * 4096 + 100) ^ 1, 20 * 4096 + 100);
    writeFileSync(path, bytes);

    for (let opening = 0; opening < 2; opening += 1) {
      const again = await open(directory);
      await expect(again.storage.getFile(large.id)).rejects.toMatchObject({ code: 'DAMAGED' });
      expect(again.storage.pendingDeletions()).toMatchObject({ isShredding: true });
      await again.storage.recover();
      expect(again.storage.pendingDeletions()).toMatchObject({ isShredding: true });
      await again.close();
    }
    writeFileSync(path, whole);
    const mended = await open(directory);
    expect(mended.storage.pendingDeletions()).toMatchObject({ isShredding: false });
    expect(await mended.storage.getFile(large.id)).toHaveLength(90_000);
  });

  test('is shredded also while a check reads all pages', async () => {
    const { directory, storage } = await makeStorage();
    await fill(storage, 100);
    const content = randomContent(50_000);
    const { id } = await storage.saveFile(content, { name: 'gone.bin' });
    const checking = storage.check();
    const first = checking.next();
    const deleting = storage.deleteFile(id, { shred: true });
    expect((await first).value).toMatchObject({ files: expect.any(Number) as number });
    expect((await deleting).notShredded).toBeUndefined();
    expect(findIn(directory, pieces(content))).toEqual([]);
  });

  test('is gone after the next opening when the process was killed on the way', async () => {
    const template = makeFolder();
    const owned = await open(template);
    await fill(owned.storage, 40);
    const content = randomContent(60_000);
    const { id } = await owned.storage.saveFile(content, { name: 'private.bin' });
    const sealed = await owned.storage.saveFile(randomContent(300_000), { name: 'private too.bin' });
    const wrappedKey = readFileSync(join(template, 'files', `${sealed.id}.enc`)).subarray(40, 145);
    await owned.close();

    const kills = { kept: 0, marked: 0, shredded: 0 };
    const moment = new KillMoment();
    for (let round = 0; round < 80 && !isEnough(kills); round += 1) {
      const directory = copyOf(template);
      const said = await killWhileShredding(directory, [id, sealed.id], moment.afterMs);
      const isMarked = isMarkedIn(copyOf(directory));
      const again = await open(directory);
      const left = again.storage.listFiles({ limit: 100 }).rows;
      const isKept = left.some((row) => row.id === id);
      if (isKept) {
        expect([said, isMarked]).toEqual(['ready\n', false]);
        expect(await again.storage.getFile(id)).toEqual(content);
        expect(await again.storage.getFile(sealed.id)).toHaveLength(300_000);
      } else {
        expect(findIn(directory, [...pieces(content), wrappedKey])).toEqual([]);
        expect(sealedNames(directory)).toEqual([]);
      }
      await again.close();
      kills[isKept ? 'kept' : isMarked ? 'marked' : 'shredded'] += 1;
      // What lies between is hit at several moments, from both sides.
      if (isKept || (isMarked && kills.shredded === 0)) moment.later();
      else moment.earlier();
    }
    // Otherwise the kills came too early or too late to show anything.
    expect(kills).toSatisfy(isEnough);
  }, 1_800_000);
});

const ROW: FileRow = {
  id: fileIdFromBytes(new Uint8Array(16)),
  folder: '',
  name: 'x',
  mimeType: 'text/plain',
  sizeBytes: 0,
  sha256: new Uint8Array(32),
  placement: 'sealed',
  condition: 'ok',
  createdAtMs: 0,
  modifiedAtMs: 0,
  transferId: undefined,
};

function openDatabaseIn(directory: string): CofferDatabase {
  using root = SecretKey.fromBytes(KEY);
  using key = root.derive('coffer/database/v1');
  return openDatabase({ path: join(directory, 'data.db'), key: key.exportBytes() });
}

/** As a process leaves it that was killed after deleting and before shredding. */
function mark(directory: string): void {
  using database = openDatabaseIn(directory);
  database.settings.set('storage/shredding', '1');
}

/** Whether a process was killed there after deleting and before everything was shredded. */
function isMarkedIn(directory: string): boolean {
  using database = openDatabaseIn(directory);
  return database.settings.get('storage/shredding') !== undefined;
}

function isEnough(kills: {
  readonly kept: number;
  readonly marked: number;
  readonly shredded: number;
}): boolean {
  return kills.kept >= 1 && kills.marked >= 3 && kills.shredded >= 1;
}

function copyOf(directory: string): string {
  const copy = makeFolder();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Kills it so many milliseconds after it was told to begin. Returns what it said. */
async function killWhileShredding(
  directory: string,
  ids: readonly string[],
  afterMs: number,
): Promise<string> {
  const script = join(import.meta.dirname, 'shred-child.ts');
  const child = spawn(process.execPath, ['--conditions=@coffer/source', script, directory, ...ids], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  child.stdin.write('go');
  if (afterMs > 0) await Promise.race([closed, delay(afterMs)]);
  child.kill('SIGKILL');
  expect(await closed).toEqual([null, 'SIGKILL']);
  return said;
}
