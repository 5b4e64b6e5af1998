import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SecretKey, sealFile } from '@coffer/crypto';
import { fileIdToBytes } from '@coffer/database';
import { describe, expect, test } from 'vitest';
import type { DamageCode, FileId, FileStorage, FindingCode } from '../src/index.ts';
import { openFileStorage, parseFileId } from '../src/index.ts';
import { KEY, THREADS, collect, makeFolder, makeStorage, open, randomContent } from './support.ts';

const SEGMENT = 262_144;
const TOKEN = SEGMENT + 16 + 57;
const HEADER = 8_192;

/** Everything that reads must name the damage; `check` finds it too, and marks the file. */
async function expectDamage(
  storage: FileStorage,
  id: string,
  damage: DamageCode,
  path: string,
): Promise<void> {
  const row = storage.listFiles().rows.find((each) => each.id === id);
  if (row === undefined) throw new Error('the row is gone');
  await expect(storage.getFile(row.id)).rejects.toMatchObject({ code: 'DAMAGED', damage });
  await expect(collect(storage.readFile(row.id))).rejects.toMatchObject({ code: 'DAMAGED', damage });
  await expect(storage.writeFileTo(row.id, path)).rejects.toMatchObject({ code: 'DAMAGED', damage });
  expect(await findings(storage)).toEqual([[damage, id]]);
  expect(storage.getMetadata(row.id).condition).toBe(damage === 'FILE_MISSING' ? 'missing' : 'damaged');
}

async function findings(
  storage: FileStorage,
  mode: 'full' | 'quick' = 'full',
): Promise<[FindingCode, string | undefined][]> {
  const found: [FindingCode, string | undefined][] = [];
  for await (const { code, file } of storage.check({ mode })) found.push([code, file?.id]);
  return found;
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  writeFileSync(path, bytes);
}

describe.each(THREADS)('%s', (_where, options) => {
  async function sealed(
    sizeBytes = 2 * SEGMENT + 1_000,
  ): Promise<{ directory: string; storage: FileStorage; id: string; path: string }> {
    const { directory, storage } = await makeStorage(options);
    const { id } = await storage.saveFile(randomContent(sizeBytes), { name: 'photo.jpg' });
    return { directory, storage, id, path: join(directory, 'files', `${id}.enc`) };
  }

  describe('damage of a sealed file has its own name', () => {
    test('missing', async () => {
      const { directory, storage, id, path } = await sealed();
      rmSync(path);
      await expectDamage(storage, id, 'FILE_MISSING', join(directory, 'out'));
    });

    test.each([1, 1_000, TOKEN, 2 * TOKEN])('cut off by %i bytes', async (bytes) => {
      const { directory, storage, id, path } = await sealed();
      truncateSync(path, readFileSync(path).length - bytes);
      await expectDamage(storage, id, 'FILE_TRUNCATED', join(directory, 'out'));
    });

    test.each([0, 1, HEADER - 1, HEADER])('cut off to %i bytes', async (bytes) => {
      const { directory, storage, id, path } = await sealed();
      truncateSync(path, bytes);
      await expectDamage(storage, id, 'FILE_TRUNCATED', join(directory, 'out'));
    });

    test('extended by a byte', async () => {
      const { directory, storage, id, path } = await sealed();
      writeFileSync(path, new Uint8Array(1), { flag: 'a' });
      await expectDamage(storage, id, 'FILE_EXTENDED', join(directory, 'out'));
    });

    test('extended by a copy of its own last segment', async () => {
      const { directory, storage, id, path } = await sealed(2 * SEGMENT);
      writeFileSync(path, readFileSync(path).subarray(-TOKEN), { flag: 'a' });
      await expectDamage(storage, id, 'FILE_EXTENDED', join(directory, 'out'));
    });

    // Format version and suite are refused by name before anything is authenticated: no reader of this version can go on.
    test.each([
      [0, 'HEADER_DAMAGED'],
      [8, 'HEADER_UNSUPPORTED'],
      [9, 'HEADER_UNSUPPORTED'],
      [11, 'HEADER_DAMAGED'],
      [12, 'HEADER_DAMAGED'],
      [40, 'HEADER_DAMAGED'],
      [60, 'HEADER_DAMAGED'],
      [170, 'HEADER_DAMAGED'],
      [31, 'KEY_EPOCH_UNKNOWN'],
    ] as const)('a flipped bit in byte %i of the header is %s', async (offset, damage) => {
      const { directory, storage, id, path } = await sealed();
      flip(path, offset);
      await expectDamage(storage, id, damage, join(directory, 'out'));
    });

    test('a bit in the header that is not used', async () => {
      const { directory, storage, id, path } = await sealed();
      flip(path, 4_000);
      await expectDamage(storage, id, 'HEADER_DAMAGED', join(directory, 'out'));
    });

    test.each([0, 1, 9, 25, 1_000, TOKEN - 1])('a flipped bit in byte %i of a segment', async (offset) => {
      const { directory, storage, id, path } = await sealed();
      flip(path, HEADER + TOKEN + offset);
      await expectDamage(storage, id, 'SEGMENT_DAMAGED', join(directory, 'out'));
    });

    test('two segments in each other’s place', async () => {
      const { directory, storage, id, path } = await sealed();
      const bytes = readFileSync(path);
      const first = Buffer.from(bytes.subarray(HEADER, HEADER + TOKEN));
      bytes.copyWithin(HEADER, HEADER + TOKEN, HEADER + 2 * TOKEN);
      first.copy(bytes, HEADER + TOKEN);
      writeFileSync(path, bytes);
      await expectDamage(storage, id, 'SEGMENT_DAMAGED', join(directory, 'out'));
    });

    test('another file of the same size in its place', async () => {
      const { directory, storage, id, path } = await sealed();
      const other = await storage.saveFile(randomContent(2 * SEGMENT + 1_000), { name: 'other' });
      copyFileSync(join(directory, 'files', `${other.id}.enc`), path);
      await expectDamage(storage, id, 'FILE_SWAPPED', join(directory, 'out'));
    });

    test('two files in each other’s place are both named', async () => {
      const { directory, storage, id, path } = await sealed();
      const other = await storage.saveFile(randomContent(300_000), { name: 'other' });
      const otherPath = join(directory, 'files', `${other.id}.enc`);
      renameSync(path, `${path}.x`);
      renameSync(otherPath, path);
      renameSync(`${path}.x`, otherPath);
      expect((await findings(storage)).sort()).toEqual(
        [
          ['FILE_SWAPPED', id],
          ['FILE_SWAPPED', other.id],
        ].sort(),
      );
    });

    test('a segment of another file in the place of its own', async () => {
      const { directory, storage, id, path } = await sealed();
      const other = await storage.saveFile(randomContent(2 * SEGMENT + 1_000), { name: 'other' });
      const bytes = readFileSync(path);
      readFileSync(join(directory, 'files', `${other.id}.enc`)).copy(bytes, HEADER, HEADER, HEADER + TOKEN);
      writeFileSync(path, bytes);
      await expectDamage(storage, id, 'SEGMENT_DAMAGED', join(directory, 'out'));
    });

    test.skipIf(process.platform === 'win32')('a socket in its place', async () => {
      const { directory, storage, id, path } = await sealed();
      rmSync(path);
      const server = createServer();
      await new Promise<void>((done) => server.listen(path, done));
      await expectDamage(storage, id, 'FILE_MISSING', join(directory, 'out'));
      await new Promise((done) => server.close(done));
    });

    test.skipIf(process.platform === 'win32')(
      'what is in its place is said by everything that reads',
      async () => {
        const { directory, storage, id, path } = await sealed();
        const copy = join(directory, 'copy');
        renameSync(path, copy);
        const lost = async (what: string) => {
          const message = `photo.jpg is lost: ${what} is in the place of its sealed file files/${id}.enc`;
          await expectDamage(storage, id, 'FILE_MISSING', join(directory, 'out'));
          await expect(storage.getFile(parseFileId(id))).rejects.toMatchObject({ message });
          for (const mode of ['quick', 'full'] as const) {
            const found: string[] = [];
            for await (const finding of storage.check({ mode })) found.push(finding.message);
            expect(found).toEqual([message]);
          }
          rmSync(path, { recursive: true });
        };
        mkdirSync(path);
        await lost('a folder');
        execFileSync('mkfifo', [path]);
        await lost('a FIFO');
        symlinkSync(copy, path);
        await lost('a link');
        symlinkSync(join(directory, 'nowhere'), path);
        await lost('a link');
      },
    );

    test('a folder in its place', async () => {
      const { directory, storage, id, path } = await sealed();
      rmSync(path);
      mkdirSync(path);
      await expectDamage(storage, id, 'FILE_MISSING', join(directory, 'out'));
    });
  });

  describe('reading around damage', () => {
    test('pieces before the damage are authentic, nothing of the damaged segment is yielded', async () => {
      const { storage, directory } = await makeStorage(options);
      const content = randomContent(3 * SEGMENT);
      const { id } = await storage.saveFile(content, { name: 'f' });
      flip(join(directory, 'files', `${id}.enc`), HEADER + TOKEN + 5_000);
      const got: Uint8Array[] = [];
      const reading = (async () => {
        for await (const piece of storage.readFile(id)) got.push(piece);
      })();
      await expect(reading).rejects.toMatchObject({ damage: 'SEGMENT_DAMAGED' });
      expect(Buffer.concat(got).equals(content.subarray(0, SEGMENT))).toBe(true);
    });

    test('a range beside the damaged segment can still be read', async () => {
      const { storage, directory } = await makeStorage(options);
      const content = randomContent(3 * SEGMENT);
      const { id } = await storage.saveFile(content, { name: 'f' });
      flip(join(directory, 'files', `${id}.enc`), HEADER + TOKEN + 5_000);
      const range = { start: 2 * SEGMENT, end: 3 * SEGMENT };
      expect(
        Buffer.from(await collect(storage.readFile(id, range))).equals(content.subarray(2 * SEGMENT)),
      ).toBe(true);
    });

    test('a range of a truncated file is refused, also one that is still there', async () => {
      const { storage, id, path } = await sealed();
      truncateSync(path, HEADER + 2 * TOKEN);
      const row = storage.listFiles().rows[0];
      expect(row?.id).toBe(id);
      await expect(
        collect(storage.readFile(row?.id ?? ('' as never), { start: 0, end: 10 })),
      ).rejects.toMatchObject({
        damage: 'FILE_TRUNCATED',
      });
    });

    test('nothing appears under the final name, and no temporary file stays', async () => {
      const { storage, id, path } = await sealed();
      flip(path, HEADER + 2 * TOKEN + 30);
      const out = makeFolder();
      const row = storage.listFiles().rows[0];
      expect(row?.id).toBe(id);
      await expect(storage.writeFileTo(row?.id ?? ('' as never), join(out, 'f'))).rejects.toMatchObject({
        code: 'DAMAGED',
      });
      expect(readdirSync(out)).toEqual([]);
    });

    test('a file that was marked damaged and is whole again is unmarked by a full check', async () => {
      const { storage, path } = await sealed();
      flip(path, HEADER + 100);
      expect(await findings(storage)).toHaveLength(1);
      flip(path, HEADER + 100);
      expect(await findings(storage)).toEqual([]);
      expect(storage.listFiles().rows[0]?.condition).toBe('ok');
    });
  });
});

describe('damage of the database', () => {
  test('a flipped bit in the page of a BLOB is found, by the page and by the file', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) {
      ids.push((await first.storage.saveFile(randomContent(90_000), { name: `f${String(index)}` })).id);
    }
    await first.close();
    const path = join(directory, 'data.db');
    flip(path, readFileSync(path).length - 5 * 4_096 + 100);
    const { storage } = await open(directory);
    const found = await findings(storage);
    expect(found.map(([code]) => code)).toContain('PAGE_DAMAGED');
    // A quick check reads no pages, and still knows of it.
    expect((await findings(storage, 'quick')).map(([code]) => code)).toContain('PAGE_DAMAGED');
    const damagedIds = found.filter(([code]) => code === 'BLOB_DAMAGED').map(([, id]) => id);
    expect(damagedIds).toHaveLength(1);
    for (const row of storage.listFiles().rows) {
      const reading = storage.getFile(row.id);
      if (damagedIds.includes(row.id))
        await expect(reading).rejects.toMatchObject({ damage: 'BLOB_DAMAGED' });
      else expect(await reading).toHaveLength(90_000);
    }
  });

  test('a flipped bit in the page of a row is found', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    for (let index = 0; index < 400; index++) {
      await first.storage.saveFile(new Uint8Array([index & 255]), { name: `f${String(index)}` });
    }
    await first.close();
    const path = join(directory, 'data.db');
    const pages = readFileSync(path).length / 4_096;
    let found = 0;
    for (let page = 1; page < pages; page++) {
      const offset = page * 4_096 + 2_000;
      flip(path, offset);
      const codes = await openFileStorage({ directory, key: KEY }).then(
        async (owned) => {
          const codesFound = await findings(owned.storage).then(
            (all) => all.map(([code]) => code),
            (error: unknown) => [(error as { damage?: FindingCode }).damage],
          );
          await owned.close().catch(() => undefined);
          return codesFound;
        },
        (error: unknown) => [(error as { damage?: FindingCode }).damage],
      );
      if (codes.includes('PAGE_DAMAGED') || codes.includes('DATABASE_DAMAGED')) found++;
      flip(path, offset);
    }
    expect(found).toBe(pages - 1);
  });

  test('of any page refuses only the files that are on it, and names them', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    const ids: FileId[] = [];
    for (const size of [10, 20, 200_000])
      ids.push((await first.storage.saveFile(randomContent(size), { name: `f${String(size)}` })).id);
    await first.close();
    const path = join(directory, 'data.db');
    const pages = readFileSync(path).length / 4_096;
    let harmless = 0;
    const rowsLost: number[] = [];
    for (let page = 2; page <= pages; page++) {
      flip(path, page * 4_096 - 2_000);
      const owned = await openFileStorage({ directory, key: KEY }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'DAMAGED', damage: 'DATABASE_DAMAGED' });
      });
      if (owned !== undefined) {
        const found = await findings(owned.storage);
        expect(found.map(([code]) => code)).toContain('PAGE_DAMAGED');
        const reads = await Promise.allSettled(ids.map((id) => owned.storage.getFile(id)));
        const refused = ids.filter((_, index) => reads[index]?.status === 'rejected');
        expect(found.flatMap(([, id]) => id ?? [])).toEqual(refused);
        if (refused.length === 0) harmless++;
        if (found.some(([code]) => code === 'ROW_DAMAGED')) rowsLost.push(refused.length);
        await owned.close();
      }
      flip(path, page * 4_096 - 2_000);
    }
    // All but those of the schema, of the rows and of the small files' bytes; among them all indexes and settings.
    expect(harmless).toBeGreaterThanOrEqual(pages - 6);
    expect(rowsLost).toEqual([ids.length]);
  });

  test('a wrong key is a wrong key, not damage', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    await first.close();
    await expect(openFileStorage({ directory, key: new Uint8Array(32).fill(8) })).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
  });

  test('a key that is not 32 bytes is refused', async () => {
    await expect(openFileStorage({ directory: makeFolder(), key: new Uint8Array(31) })).rejects.toMatchObject(
      { code: 'INVALID' },
    );
  });
});

describe('the free place of a header', () => {
  test('that is not empty is found, and the file stays readable and whole', async () => {
    const { storage, id, path } = await oneSealedFile();
    flip(path, 4_096 + 1_000);
    expect(await findings(storage)).toEqual([['HEADER_LEFT_OVER', id]]);
    const row = storage.getMetadata(parseFileId(id));
    expect(row.condition).toBe('ok');
    expect(await storage.getFile(row.id)).toHaveLength(300_000);
  });

  test('with a copy of the header in it is found too', async () => {
    const { storage, id, path } = await oneSealedFile();
    const bytes = readFileSync(path);
    bytes.copy(bytes, 4_096, 0, 4_096);
    writeFileSync(path, bytes);
    expect(await findings(storage)).toEqual([['HEADER_LEFT_OVER', id]]);
  });
});

describe('a sealed file with segments of another size, which the format allows', () => {
  async function withSmallSegments(): Promise<{ directory: string; storage: FileStorage; path: string }> {
    const { directory, storage } = await makeStorage();
    const content = randomContent(300_000);
    const { id } = await storage.saveFile(content, { name: 'f' });
    const path = join(directory, 'files', `${id}.enc`);
    using root = SecretKey.fromBytes(KEY);
    using storageKey = root.derive('coffer/storage/v1');
    const header = { fileId: fileIdToBytes(id), keyEpoch: 1, sequence: 1n, segmentSizeLog2: 12 };
    writeFileSync(path, sealFile(storageKey, header, content));
    return { directory, storage, path };
  }

  test('is whole for every check and for recovery', async () => {
    const { storage } = await withSmallSegments();
    expect(await findings(storage, 'quick')).toEqual([]);
    expect(await findings(storage)).toEqual([]);
    expect(await storage.recover()).toMatchObject({ damaged: [] });
  });

  test('is cut off for a quick check when it is', async () => {
    const { storage, path } = await withSmallSegments();
    truncateSync(path, 250_000);
    expect((await findings(storage, 'quick')).map(([code]) => code)).toEqual(['FILE_TRUNCATED']);
    expect((await storage.recover()).damaged).toHaveLength(1);
  });

  test('with a header that is damaged is still measured', async () => {
    const { storage, path } = await withSmallSegments();
    flip(path, 10);
    expect((await findings(storage, 'quick')).map(([code]) => code)).toEqual(['FILE_EXTENDED']);
  });
});

async function oneSealedFile(): Promise<{ storage: FileStorage; id: string; path: string }> {
  const { directory, storage } = await makeStorage();
  const { id } = await storage.saveFile(randomContent(300_000), { name: 'f' });
  return { storage, id, path: join(directory, 'files', `${id}.enc`) };
}

describe('check', () => {
  test('finds nothing wrong with a whole storage', async () => {
    const { storage } = await makeStorage();
    await storage.saveFile(randomContent(10), { name: 'a' });
    await storage.saveFile(randomContent(300_000), { name: 'b' });
    expect(await findings(storage)).toEqual([]);
    expect(await findings(storage, 'quick')).toEqual([]);
  });

  test('a quick check sees names and sizes', async () => {
    const { storage, id, path } = await oneSealedFile();
    truncateSync(path, 5_000);
    expect(await findings(storage, 'quick')).toEqual([['FILE_TRUNCATED', id]]);
  });

  test('names files that belong to nothing', async () => {
    const { directory, storage } = await makeStorage();
    const files = join(directory, 'files');
    writeFileSync(join(files, `${'0'.repeat(32)}.enc`), 'x');
    writeFileSync(join(files, `${'1'.repeat(32)}.enc.tmp`), 'x');
    writeFileSync(join(files, `${'2'.repeat(32)}.enc.part`), 'x');
    writeFileSync(join(files, 'notes.txt'), 'x');
    const codes = (await findings(storage)).map(([code]) => code).sort();
    expect(codes).toEqual(['FILE_LEFT_OVER', 'FILE_LEFT_OVER', 'FILE_UNREFERENCED', 'NAME_UNKNOWN']);
  });

  test('something else in the place of files/ is damage with its path', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    await first.close();
    const files = join(directory, 'files');
    rmSync(files, { recursive: true });
    writeFileSync(files, '');
    const opening = openFileStorage({ directory, key: KEY });
    await expect(opening).rejects.toMatchObject({ code: 'DAMAGED', damage: 'FOLDER_DAMAGED' });
    await expect(opening).rejects.toThrow(files);
  });

  test('a sample reads about its share of the files', async () => {
    const { storage } = await makeStorage();
    for (let index = 0; index < 40; index++)
      await storage.saveFile(new Uint8Array(10), { name: String(index) });
    let bytes = 0;
    let turn = 0;
    const checking = storage.check({
      mode: 'sample',
      samplePercent: 25,
      random: () => (turn++ % 4) / 4,
      onProgress: (done) => (bytes = done),
    });
    for await (const finding of checking) expect(finding).toBeUndefined();
    expect(bytes).toBe(100);
  });

  test.each([0, -1, 101, Number.NaN])('a sample of %d percent is refused', async (samplePercent) => {
    const { storage } = await makeStorage();
    const checking = storage.check({ mode: 'sample', samplePercent });
    await expect(checking.next()).rejects.toMatchObject({ code: 'INVALID' });
  });

  test('can be cancelled', async () => {
    const { storage } = await makeStorage();
    await storage.saveFile(randomContent(10), { name: 'a' });
    const checking = storage.check({ mode: 'full', signal: AbortSignal.abort() });
    await expect(checking.next()).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
