import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, makeStorage, randomContent, sealedNames } from './support.ts';

test('several files are saved in one go, small and sealed ones alike', async () => {
  const { directory, storage } = await makeStorage();
  const contents = [0, 1, 5_000, 102_399, 102_400, 300_000].map(randomContent);
  const results = await storage.saveFiles(
    contents.map((source, index) => ({ source, options: { name: `f${String(index)}` } })),
  );
  expect(results.map(({ status }) => status)).toEqual(contents.map(() => 'fulfilled'));
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled')
      expect(Buffer.from(await storage.getFile(result.value.id)).equals(contents[index] ?? Buffer.of())).toBe(
        true,
      );
  }
  expect(sealedNames(directory)).toHaveLength(2);
});

test('one that cannot be read or placed does not keep the others from being saved', async () => {
  const { directory, storage } = await makeStorage();
  const refusal = new Error('taken');
  const results = await storage.saveFiles([
    { source: randomContent(10), options: { name: 'a' } },
    { source: { path: join(makeFolder(), 'nothing') }, options: { name: 'b' } },
    {
      source: randomContent(200_000),
      options: {
        name: 'c',
        place: () => {
          throw refusal;
        },
      },
    },
    { source: randomContent(10), options: { name: 'd/e' } },
    { source: randomContent(200_000), options: { name: 'f' } },
  ]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: { name: 'a' } },
    { status: 'rejected', reason: { code: 'NOT_FOUND' } },
    { status: 'rejected', reason: refusal },
    { status: 'rejected', reason: { code: 'INVALID' } },
    { status: 'fulfilled', value: { name: 'f' } },
  ]);
  expect(storage.listFiles().rows.map(({ name }) => name)).toEqual(['a', 'f']);
  expect(sealedNames(directory)).toHaveLength(1);
});

test('a file alone that cannot be placed is one that was not saved, not a failure of all', async () => {
  const { directory, storage } = await makeStorage();
  const refusal = new Error('taken');
  const place = (): never => {
    throw refusal;
  };
  for (const size of [10, 200_000]) {
    const results = await storage.saveFiles([{ source: randomContent(size), options: { name: 'a', place } }]);
    expect(results).toMatchObject([{ status: 'rejected', reason: refusal }]);
    await expect(storage.saveFile(randomContent(size), { name: 'a', place })).rejects.toBe(refusal);
  }
  expect(storage.listFiles().rows).toEqual([]);
  expect(sealedNames(directory)).toEqual([]);
});

test('cancelled, none is saved and nothing stays', async () => {
  const { directory, storage } = await makeStorage();
  const abort = new AbortController();
  const files = [10, 200_000].map((sizeBytes) => ({
    source: randomContent(sizeBytes),
    options: {
      name: 'f',
      onProgress: () => {
        abort.abort();
      },
    },
  }));
  await expect(storage.saveFiles(files, { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  expect(storage.listFiles().rows).toEqual([]);
  expect(sealedNames(directory)).toEqual([]);
});

test('no files are no work', async () => {
  const { storage } = await makeStorage();
  expect(await storage.saveFiles([])).toEqual([]);
});
