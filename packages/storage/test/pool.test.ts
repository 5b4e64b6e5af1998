import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { segmentPool } from '../src/pool/segment-pool.ts';
import { collect, hex, inPieces, makeStorage, randomContent, sealedNames, sha256Of } from './support.ts';

const options = { parallelFromBytes: 0 };
const MIB = 1_048_576;

// So that each test sees its threads start.
beforeEach(() => segmentPool.shutDown());

/** The threads that are started from here on. */
function watchWorkers(): Worker[] {
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): void => {
    workers.push(worker);
  };
  process.on('worker', onWorker);
  onTestFinished(() => {
    process.off('worker', onWorker);
  });
  return workers;
}

test('a file of many times the ring’s size comes back the same, from a stream and by ranges', async () => {
  const { storage } = await makeStorage(options);
  const content = randomContent(40 * MIB + 12_345);
  const { id, sha256 } = await storage.saveFile(inPieces(content, 777_777), { name: 'f' });
  expect(hex(sha256)).toBe(sha256Of(content));
  expect(sha256Of(await collect(storage.readFile(id)))).toBe(sha256Of(content));
  const range = { start: 3 * MIB - 1, end: 30 * MIB + 1 };
  expect(sha256Of(await collect(storage.readFile(id, range)))).toBe(
    sha256Of(content.subarray(range.start, range.end)),
  );
});

test('a stream is handed to the pool in its middle', async () => {
  const { storage } = await makeStorage({ parallelFromBytes: 5 * MIB });
  const workers = watchWorkers();
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(inPieces(content, 300_000), { name: 'f' });
  expect(workers.length).toBeGreaterThan(0);
  expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
});

test('what is yielded is the caller’s to keep', async () => {
  const { storage } = await makeStorage(options);
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(content, { name: 'f' });
  const kept: Uint8Array[] = [];
  for await (const piece of storage.readFile(id)) kept.push(piece);
  expect(sha256Of(Buffer.concat(kept))).toBe(sha256Of(content));
});

test('transient pieces are right when each is used before the next', async () => {
  const { storage } = await makeStorage(options);
  const content = randomContent(20 * MIB + 1);
  const { id } = await storage.saveFile(content, { name: 'f' });
  let offset = 0;
  for await (const piece of storage.readFile(id, { transient: true })) {
    expect(Buffer.compare(piece, content.subarray(offset, offset + piece.length))).toBe(0);
    offset += piece.length;
  }
  expect(offset).toBe(content.length);
});

test('threads are started once, and not for small files', async () => {
  const { storage } = await makeStorage();
  const workers = watchWorkers();
  await storage.saveFile(randomContent(MIB), { name: 'small' });
  expect(workers).toHaveLength(0);
  for (let turn = 0; turn < 3; turn++) await storage.saveFile(randomContent(17 * MIB), { name: 'large' });
  expect(workers.length).toBeGreaterThan(0);
  expect(workers.length).toBeLessThanOrEqual(4);
});

test('who finds the pool busy does the work on the own thread', async () => {
  const { storage } = await makeStorage(options);
  const contents = Array.from({ length: 4 }, () => randomContent(3 * MIB));
  const rows = await Promise.all(
    contents.map((content, index) => storage.saveFile(inPieces(content, 100_000), { name: String(index) })),
  );
  const read = await Promise.all(rows.map(({ id }) => storage.getFile(id)));
  expect(read.map(sha256Of)).toEqual(contents.map(sha256Of));
});

test('a reader that stops early leaves the pool to others', async () => {
  const { storage } = await makeStorage(options);
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(content, { name: 'f' });
  for (let turn = 0; turn < 5; turn++) {
    for await (const piece of storage.readFile(id)) {
      expect(piece).toHaveLength(262_144);
      break;
    }
  }
  expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
});

test('all segments before the first damaged one are given out, whichever thread finds damage first', async () => {
  const { directory, storage } = await makeStorage(options);
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(content, { name: 'f' });
  const path = join(directory, 'files', `${id}.enc`);
  const bytes = readFileSync(path);
  for (const index of [12, 13, 20, 40]) bytes.writeUInt8(1, 8_192 + index * 262_217 + 3);
  writeFileSync(path, bytes);
  for (let turn = 0; turn < 20; turn++) {
    let pieces = 0;
    const reading = (async () => {
      for await (const piece of storage.readFile(id)) {
        expect(Buffer.compare(piece, content.subarray(pieces * 262_144, (pieces + 1) * 262_144))).toBe(0);
        pieces++;
      }
    })();
    await expect(reading).rejects.toMatchObject({
      damage: 'SEGMENT_DAMAGED',
      message: expect.stringContaining('segment 12 ') as string,
    });
    expect(pieces).toBe(12);
  }
});

test('a thread that dies fails the save, leaves nothing behind, and is replaced', async () => {
  const { directory, storage } = await makeStorage(options);
  const workers = watchWorkers();
  let pieces = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (; pieces < 1_000; pieces++) {
      if (pieces === 40) await workers[0]?.terminate();
      yield await Promise.resolve(new Uint8Array(262_144));
    }
  }
  await expect(storage.saveFile(source(), { name: 'f' })).rejects.toMatchObject({
    code: 'FAILED',
    message: expect.stringContaining('worker thread') as string,
  });
  expect(pieces).toBeLessThan(1_000);
  expect(sealedNames(directory)).toEqual([]);
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(content, { name: 'g' });
  expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
});

test('a thread that dies between two files is replaced', async () => {
  const { storage } = await makeStorage(options);
  const workers = watchWorkers();
  await storage.saveFile(randomContent(20 * MIB), { name: 'f' });
  await workers[0]?.terminate();
  const content = randomContent(20 * MIB);
  const { id } = await storage.saveFile(content, { name: 'g' });
  expect(sha256Of(await storage.getFile(id))).toBe(sha256Of(content));
});

test('several storages share the threads', async () => {
  const workers = watchWorkers();
  for (let turn = 0; turn < 3; turn++) {
    const { storage } = await makeStorage(options);
    await storage.saveFile(randomContent(MIB), { name: 'f' });
    await storage.close();
  }
  expect(workers.length).toBeGreaterThan(0);
  expect(workers.length).toBeLessThanOrEqual(4);
});

test('cancelling stops the threads at once', async () => {
  const { directory, storage } = await makeStorage(options);
  const abort = new AbortController();
  const saving = storage.saveFile(randomContent(64 * MIB), {
    name: 'f',
    signal: abort.signal,
    onProgress: () => {
      abort.abort();
    },
  });
  await expect(saving).rejects.toMatchObject({ code: 'ABORTED' });
  expect(sealedNames(directory)).toEqual([]);
});
