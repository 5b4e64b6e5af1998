import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FileSource } from '../src/index.ts';
import { THREADS, makeFolder, makeStorage, randomContent, sealedNames } from './support.ts';

async function expectNothingStored(code: string, makeSource: (folder: string) => FileSource): Promise<void> {
  const { directory, storage } = await makeStorage();
  await expect(storage.saveFile(makeSource(makeFolder()), { name: 'f' })).rejects.toMatchObject({ code });
  expect(storage.listFiles().rows).toEqual([]);
  expect(sealedNames(directory)).toEqual([]);
}

describe('a source that is no regular file is refused without being opened', () => {
  test('a folder', () => expectNothingStored('NOT_A_FILE', (folder) => ({ path: folder })));

  test('a link, also to a regular file', () =>
    expectNothingStored('NOT_A_FILE', (folder) => {
      writeFileSync(join(folder, 'a'), 'x');
      symlinkSync('a', join(folder, 'link'));
      return { path: join(folder, 'link') };
    }));

  test('a FIFO that nobody writes to does not hang', () =>
    expectNothingStored('NOT_A_FILE', (folder) => {
      execFileSync('mkfifo', [join(folder, 'fifo')]);
      return { path: join(folder, 'fifo') };
    }));

  test('a socket', async () => {
    const path = join(makeFolder(), 's');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    await expectNothingStored('NOT_A_FILE', () => ({ path }));
  });

  test('a device', () => expectNothingStored('NOT_A_FILE', () => ({ path: '/dev/zero' })));

  test.skipIf(!existsSync('/proc/self/status'))(
    'a file whose size is not what is in it, as those of /proc',
    () => expectNothingStored('SOURCE_CHANGED', () => ({ path: '/proc/self/status' })),
  );

  test('a path that does not exist', () =>
    expectNothingStored('NOT_FOUND', (folder) => ({ path: join(folder, 'nothing') })));

  test('a thing that is no source', () => expectNothingStored('INVALID', () => ({}) as FileSource));

  test('a stream of text', () =>
    expectNothingStored('INVALID', () => {
      async function* text(): AsyncGenerator<string> {
        yield await Promise.resolve('abc');
      }
      return text() as unknown as FileSource;
    }));
});

describe.each(THREADS)('%s', (_where, options) => {
  describe('a source that changes while it is read', () => {
    async function expectRefused(change: (path: string) => void): Promise<void> {
      const { directory, storage } = await makeStorage(options);
      const path = join(makeFolder(), 'source');
      writeFileSync(path, randomContent(2_000_000));
      let changed = false;
      const saving = storage.saveFile(
        { path },
        {
          name: 'f',
          onProgress: () => {
            if (!changed) change(path);
            changed = true;
          },
        },
      );
      await expect(saving).rejects.toMatchObject({
        code: 'SOURCE_CHANGED',
        message: expect.stringContaining(path) as string,
      });
      expect(storage.listFiles().rows).toEqual([]);
      expect(sealedNames(directory)).toEqual([]);
    }

    test('by growing is refused', () =>
      expectRefused((path) => {
        appendFileSync(path, 'more');
      }));

    test('by shrinking is refused', () =>
      expectRefused((path) => {
        truncateSync(path, 1_000_000);
      }));

    test('by being written over is refused', () =>
      expectRefused((path) => {
        writeFileSync(path, randomContent(2_000_000));
      }));
  });

  describe('a source that fails or is cancelled', () => {
    test('its own error is the cause, and nothing stays', async () => {
      const { directory, storage } = await makeStorage(options);
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield randomContent(500_000);
        await Promise.resolve();
        throw new Error('the camera was unplugged');
      }
      await expect(storage.saveFile(failing(), { name: 'f' })).rejects.toMatchObject({
        code: 'FAILED',
        cause: expect.objectContaining({ message: 'the camera was unplugged' }) as Error,
      });
      expect(sealedNames(directory)).toEqual([]);
    });

    test('cancelling ends it at once, even when the source hangs', async () => {
      const { directory, storage } = await makeStorage(options);
      const abort = new AbortController();
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield randomContent(500_000);
        await new Promise(() => undefined);
      }
      const saving = storage.saveFile(hanging(), {
        name: 'f',
        signal: abort.signal,
        onProgress: () => {
          abort.abort();
        },
      });
      await expect(saving).rejects.toMatchObject({ code: 'ABORTED' });
      expect(sealedNames(directory)).toEqual([]);
      expect(storage.listFiles().rows).toEqual([]);
    });

    test('closing the storage cancels what is being saved and leaves nothing behind', async () => {
      const { directory, storage } = await makeStorage(options);
      const started = Promise.withResolvers<undefined>();
      async function* hanging(): AsyncGenerator<Uint8Array> {
        yield randomContent(500_000);
        started.resolve(undefined);
        await new Promise(() => undefined);
      }
      const saving = storage.saveFile(hanging(), { name: 'f' });
      await started.promise;
      await Promise.all([expect(saving).rejects.toMatchObject({ code: 'ABORTED' }), storage.close()]);
      expect(sealedNames(directory)).toEqual([]);
      await expect(storage.saveFile(new Uint8Array(), { name: 'g' })).rejects.toMatchObject({
        code: 'CLOSED',
      });
    });

    test('what `place` throws undoes the save and comes out unchanged', async () => {
      const { directory, storage } = await makeStorage(options);
      const reason = new Error('taken');
      const saving = storage.saveFile(randomContent(200_000), {
        name: 'f',
        place: () => {
          throw reason;
        },
      });
      await expect(saving).rejects.toBe(reason);
      expect(sealedNames(directory)).toEqual([]);
      expect(storage.listFiles().rows).toEqual([]);
    });
  });
});

describe('names', () => {
  test.each(['', '.', '..', 'a/b', 'a\0b', '\ud800', 'x'.repeat(1_025)])(
    'the name %j is refused',
    async (name) => {
      const { storage } = await makeStorage();
      await expect(storage.saveFile(new Uint8Array(), { name })).rejects.toMatchObject({ code: 'INVALID' });
    },
  );

  test.each(['/a', 'a/', 'a//b', 'a/../b', './a', 'a\0', '\udfff', 'x/'.repeat(3_000)])(
    'the folder %j is refused',
    async (folder) => {
      const { storage } = await makeStorage();
      await expect(storage.saveFile(new Uint8Array(), { name: 'f', folder })).rejects.toMatchObject({
        code: 'INVALID',
      });
    },
  );

  test.each(['-rf', ' ', 'a\nb', '\u202egpj.exe', '🗝️ key.txt', 'con', 'a\\b', "'; DROP TABLE files; --"])(
    'the name %j is kept as it is',
    async (name) => {
      const { storage } = await makeStorage();
      const { id } = await storage.saveFile(new Uint8Array(), { name, folder: 'f/🗂️' });
      expect(storage.getMetadata(id)).toMatchObject({ name, folder: 'f/🗂️' });
    },
  );

  test('a decomposed name is stored composed, so that it is found however it is typed', async () => {
    const { storage } = await makeStorage();
    const { id } = await storage.saveFile(new Uint8Array(), { name: 'Zoe\u0308.txt', folder: 'e\u0301' });
    expect(storage.getMetadata(id)).toMatchObject({ name: 'Zo\u00eb.txt', folder: '\u00e9' });
  });

  test('two files may have the same name', async () => {
    const { storage } = await makeStorage();
    await storage.saveFile(new Uint8Array([1]), { name: 'same' });
    await storage.saveFile(new Uint8Array([2]), { name: 'same' });
    expect(storage.listFiles().rows.map((row) => row.name)).toEqual(['same', 'same']);
  });
});
