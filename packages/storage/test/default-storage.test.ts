import { afterEach, expect, test } from 'vitest';
import {
  closeFileStorage,
  configureFileStorage,
  deleteFile,
  getFile,
  getFileStorage,
  getMetadata,
  saveFile,
} from '../src/index.ts';
import { KEY, makeFolder } from './support.ts';

afterEach(closeFileStorage);

test('the module’s functions need a storage with a key of one’s own first', async () => {
  await expect(getFileStorage()).rejects.toMatchObject({ code: 'NOT_CONFIGURED' });
  await expect(saveFile(new Uint8Array(), { name: 'f' })).rejects.toMatchObject({ code: 'NOT_CONFIGURED' });
});

test('save, get, metadata and delete work through the module’s functions', async () => {
  const storage = await configureFileStorage({ directory: makeFolder(), key: KEY });
  expect(await getFileStorage()).toBe(storage);
  const { id } = await saveFile(new Uint8Array([1, 2, 3]), { name: 'f' });
  expect(await getFile(id)).toEqual(new Uint8Array([1, 2, 3]));
  expect(await getMetadata(id)).toMatchObject({ name: 'f', sizeBytes: 3 });
  await deleteFile(id);
  await expect(getFile(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('what was saved is there after closing and configuring again with the same key', async () => {
  const directory = makeFolder();
  await configureFileStorage({ directory, key: KEY });
  const { id } = await saveFile(new Uint8Array([9]), { name: 'f' });
  await closeFileStorage();
  await configureFileStorage({ directory, key: KEY });
  expect(await getFile(id)).toEqual(new Uint8Array([9]));
});

test('it can be configured once only, and again after a failure', async () => {
  const directory = makeFolder();
  await expect(configureFileStorage({ directory, key: new Uint8Array(3) })).rejects.toMatchObject({
    code: 'INVALID',
  });
  await configureFileStorage({ directory, key: KEY });
  await expect(configureFileStorage({ directory, key: KEY })).rejects.toMatchObject({ code: 'IN_USE' });
});
