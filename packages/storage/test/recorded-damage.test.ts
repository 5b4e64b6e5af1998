import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '@coffer/database';
import { SecretKey } from '@coffer/crypto';
import { FileStorage, StorageKeys, damagedSinceMs } from '../src/index.ts';
import type { FileId } from '../src/index.ts';
import { KEY, collect, makeFolder, open, randomContent } from './support.ts';

type Read = (storage: FileStorage, id: FileId) => Promise<unknown>;

const SEGMENT_SIZE_BYTES = 256 * 1024;
const content = randomContent(3 * SEGMENT_SIZE_BYTES);

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

interface WithFile {
  readonly directory: string;
  readonly storage: FileStorage;
  readonly id: FileId;
  /** Of its sealed file. */
  readonly path: string;
  readonly close: () => Promise<void>;
}

async function withFile(): Promise<WithFile> {
  const directory = makeFolder();
  const owned = await open(directory);
  const { storage } = owned;
  const { id } = await storage.saveFile(content, { name: 'f' });
  return {
    directory,
    storage,
    id,
    path: join(directory, 'files', `${id}.enc`),
    close: () => owned.close(),
  };
}

const READS: readonly (readonly [string, Read])[] = [
  ['as a stream', (storage, id) => collect(storage.readFile(id))],
  ['at once', (storage, id) => storage.getFile(id)],
  ['to a file', (storage, id) => storage.writeFileTo(id, join(makeFolder(), 'out'))],
];

describe.each(READS)('a file that is read %s', (_, read) => {
  test('and found to be damaged is marked, and marked no more once all of it was read whole', async () => {
    const { directory, storage, id, path, close } = await withFile();
    const startMs = Date.now();
    flip(path, 500_000);
    await expect(read(storage, id)).rejects.toMatchObject({ code: 'DAMAGED', damage: 'SEGMENT_DAMAGED' });
    expect(storage.getMetadata(id).condition).toBe('damaged');
    const readMs = Date.now();
    const sinceMs = await sinceOf(storage, id);
    expect(sinceMs).toBeGreaterThanOrEqual(startMs);
    expect(sinceMs).toBeLessThanOrEqual(readMs);
    // Known since then, whoever comes upon it again.
    await expect(read(storage, id)).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(await sinceOf(storage, id)).toBe(sinceMs);
    await close();
    flip(path, 500_000);
    const { storage: again } = await open(directory);
    expect(again.getMetadata(id).condition).toBe('damaged');
    await read(again, id);
    expect(again.getMetadata(id).condition).toBe('ok');
    expect(await sinceOf(again, id)).toBeUndefined();
  });

  test('and is not there is marked as missing', async () => {
    const { storage, id, path } = await withFile();
    renameSync(path, `${path}.away`);
    await expect(read(storage, id)).rejects.toMatchObject({ code: 'DAMAGED', damage: 'FILE_MISSING' });
    expect(storage.getMetadata(id).condition).toBe('missing');
  });
});

/** As a check says it. */
async function sinceOf(storage: FileStorage, id: FileId): Promise<number | undefined> {
  for await (const finding of storage.check({ mode: 'full', ids: [id] })) return finding.sinceMs;
  return undefined;
}

test('a range that is whole says nothing of the rest of a file, and one that is not marks it', async () => {
  const { storage, id, path } = await withFile();
  flip(path, 500_000);
  const first = { start: 0, end: SEGMENT_SIZE_BYTES };
  await collect(storage.readFile(id, first));
  expect(storage.getMetadata(id).condition).toBe('ok');
  const second = { start: SEGMENT_SIZE_BYTES, end: SEGMENT_SIZE_BYTES + 1 };
  await expect(collect(storage.readFile(id, second))).rejects.toMatchObject({ damage: 'SEGMENT_DAMAGED' });
  expect(storage.getMetadata(id).condition).toBe('damaged');
  await collect(storage.readFile(id, first));
  expect(storage.getMetadata(id).condition).toBe('damaged');
});

test('a read that is given up, or can not be written, marks nothing', async () => {
  const { storage, id } = await withFile();
  const signal = AbortSignal.abort();
  await expect(collect(storage.readFile(id, { signal }))).rejects.toMatchObject({ code: 'ABORTED' });
  const nowhere = join(makeFolder(), 'none', 'out');
  await expect(storage.writeFileTo(id, nowhere)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(storage.getMetadata(id).condition).toBe('ok');
});

test('in a database that refuses changes damage is told and not kept', async () => {
  const { directory, id, path, close } = await withFile();
  await close();
  flip(path, 500_000);
  await using opened = new AsyncDisposableStack();
  const rootKey = opened.use(SecretKey.fromBytes(KEY));
  const databaseKey = opened.use(rootKey.derive('coffer/database/v1'));
  const keys = opened.use(StorageKeys.derive(rootKey));
  const database = opened.use(
    openDatabase({ path: join(directory, 'data.db'), key: databaseKey.exportBytes() }),
  );
  database.refuseChanges();
  const { storage: refusing } = await FileStorage.open({
    directory,
    database,
    keys,
    databaseKey: () => databaseKey.exportBytes(),
  });
  opened.defer(() => refusing.close());
  await expect(refusing.getFile(id)).rejects.toMatchObject({ damage: 'SEGMENT_DAMAGED' });
  expect(refusing.getMetadata(id).condition).toBe('ok');
  expect(damagedSinceMs(database, id)).toBeUndefined();
});
