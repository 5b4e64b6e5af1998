import { createReadStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLD_BYTES } from '../src/index.ts';
import {
  THREADS,
  collect,
  hex,
  inPieces,
  makeFolder,
  makeStorage,
  randomContent,
  sealedNames,
  sha256Of,
} from './support.ts';

const SEGMENT = 262_144;

describe('placement', () => {
  test.each([
    [0, 'blob'],
    [1, 'blob'],
    [102_399, 'blob'],
    [102_400, 'sealed'],
    [102_401, 'sealed'],
  ] as const)('a file of %i bytes is stored as a %s', async (sizeBytes, placement) => {
    const { directory, storage } = await makeStorage();
    const row = await storage.saveFile(randomContent(sizeBytes), { name: 'f' });
    expect(row.placement).toBe(placement);
    expect(sealedNames(directory)).toEqual(placement === 'sealed' ? [`${row.id}.enc`] : []);
    expect(storage.getMetadata(row.id)).toEqual(row);
  });

  test('the default threshold is 102,400 bytes', () => {
    expect(DEFAULT_THRESHOLD_BYTES).toBe(102_400);
  });

  test('the threshold is an option, 0 seals even an empty file', async () => {
    const { storage } = await makeStorage({ thresholdBytes: 0 });
    const row = await storage.saveFile(new Uint8Array(), { name: 'empty' });
    expect(row.placement).toBe('sealed');
    expect(await storage.getFile(row.id)).toEqual(new Uint8Array());
  });

  test('a sealed file is readable by its owner only', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    expect(statSync(join(directory, 'files', `${id}.enc`)).mode & 0o777).toBe(0o600);
  });
});

describe.each(THREADS)('%s', (_where, options) => {
  describe('round trip', () => {
    const sizes = [
      0,
      1,
      15,
      16,
      17,
      102_399,
      102_400,
      SEGMENT - 1,
      SEGMENT,
      SEGMENT + 1,
      3 * SEGMENT,
      3 * SEGMENT + 17,
    ];
    test.each(sizes)('%i bytes come back the same, whole, streamed and to a path', async (sizeBytes) => {
      const { directory, storage } = await makeStorage(options);
      const content = randomContent(sizeBytes);
      const row = await storage.saveFile(content, { name: 'f.bin' });
      expect(row).toMatchObject({ sizeBytes, name: 'f.bin', folder: '', condition: 'ok' });
      expect(hex(row.sha256)).toBe(sha256Of(content));
      expect(hex(await storage.getFile(row.id))).toBe(hex(content));
      expect(hex(await collect(storage.readFile(row.id)))).toBe(hex(content));
      const path = join(directory, 'out.bin');
      await storage.writeFileTo(row.id, path);
      expect(readFileSync(path).equals(content)).toBe(true);
    });

    test('100 random files of any size, in pieces of any size, come back the same', async () => {
      const { storage } = await makeStorage(options);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 400_000 }),
          fc.integer({ min: 1, max: 300_000 }),
          async (sizeBytes, pieceBytes) => {
            const content = randomContent(sizeBytes);
            const row = await storage.saveFile(inPieces(content, pieceBytes), { name: 'f' });
            expect(row.placement).toBe(sizeBytes < 102_400 ? 'blob' : 'sealed');
            expect(hex(row.sha256)).toBe(sha256Of(content));
            expect(hex(await storage.getFile(row.id))).toBe(hex(content));
          },
        ),
        { numRuns: 100 },
      );
    });
  });

  describe('sources', () => {
    const content = randomContent(300_000);

    test('bytes, an async iterable, a web stream, a Node stream and a path give the same file', async () => {
      const { storage } = await makeStorage(options);
      const path = join(makeFolder(), 'source.bin');
      writeFileSync(path, content);
      const sources = [
        content,
        inPieces(content, 999),
        new Blob([Buffer.from(content)]).stream(),
        createReadStream(path),
        { path },
      ];
      for (const source of sources) {
        const row = await storage.saveFile(source, { name: 'f' });
        expect(hex(row.sha256)).toBe(sha256Of(content));
        expect(hex(await storage.getFile(row.id))).toBe(hex(content));
      }
    });

    test('a source of single bytes around the threshold is stored right', async () => {
      const { storage } = await makeStorage({ ...options, thresholdBytes: 64 });
      for (const sizeBytes of [63, 64, 65]) {
        const bytes = randomContent(sizeBytes);
        const row = await storage.saveFile(inPieces(bytes, 1), { name: 'f' });
        expect(row.placement).toBe(sizeBytes < 64 ? 'blob' : 'sealed');
        expect(await storage.getFile(row.id)).toEqual(bytes);
      }
    });

    test('bytes that their owner changes meanwhile are stored with the hash that they have', async () => {
      const { storage } = await makeStorage(options);
      for (let ticks = 0; ticks < 40; ticks++) {
        const mine = Buffer.from(randomContent(5_000));
        const saving = storage.saveFile(mine, { name: 'f' });
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        mine.fill(0);
        const { id, sha256 } = await saving;
        expect(sha256Of(await storage.getFile(id))).toBe(hex(sha256));
      }
    });

    test('a source that fills one buffer again and again is stored right', async () => {
      const { storage } = await makeStorage(options);
      async function* reusing(): AsyncGenerator<Uint8Array> {
        const buffer = Buffer.alloc(50_000);
        for (let at = 0; at < content.length; at += buffer.length) {
          buffer.set(content.subarray(at, at + buffer.length));
          yield await Promise.resolve(buffer);
        }
      }
      const row = await storage.saveFile(reusing(), { name: 'f' });
      expect(hex(await storage.getFile(row.id))).toBe(hex(content));
    });

    test('a path source brings its modification time', async () => {
      const { storage } = await makeStorage(options);
      const path = join(makeFolder(), 'a.txt');
      writeFileSync(path, 'x');
      const row = await storage.saveFile({ path }, { name: 'a.txt' });
      expect(row.modifiedAtMs).toBe(Math.floor(statSync(path).mtimeMs));
    });

    test('the transfer that brought a file is kept with it', async () => {
      const { storage } = await makeStorage(options);
      const row = await storage.saveFile(content, { name: 'f', transferId: 'ab'.repeat(16) });
      expect(storage.getMetadata(row.id).transferId).toBe('ab'.repeat(16));
    });
  });

  describe('ranges', () => {
    test('any range of a sealed file is what the same slice of its content is', async () => {
      const { storage } = await makeStorage(options);
      const content = randomContent(3 * SEGMENT + 100);
      const { id } = await storage.saveFile(content, { name: 'f' });
      const bound = fc.integer({ min: 0, max: content.length });
      await fc.assert(
        fc.asyncProperty(bound, bound, async (a, b) => {
          const [start, end] = a < b ? [a, b] : [b, a];
          expect(hex(await collect(storage.readFile(id, { start, end })))).toBe(
            hex(content.subarray(start, end)),
          );
        }),
        { numRuns: 60 },
      );
      for (const edge of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, content.length]) {
        expect(hex(await collect(storage.readFile(id, { start: edge })))).toBe(hex(content.subarray(edge)));
      }
    });

    test('ranges of several files that are read at the same time, one after the other and given up early stay apart', async () => {
      const { storage } = await makeStorage(options);
      const contents = [1, 2, 3].map(() => randomContent(4 * SEGMENT + 7));
      const ids = await Promise.all(
        contents.map(async (content, index) => (await storage.saveFile(content, { name: String(index) })).id),
      );
      const [first] = ids;
      if (first === undefined) throw new Error('nothing was saved');
      for (let turn = 0; turn < 5; turn++) {
        for await (const piece of storage.readFile(first, { start: 5, end: 3 * SEGMENT, transient: true })) {
          expect(Buffer.compare(piece, (contents[0] ?? piece).subarray(5, 5 + piece.length))).toBe(0);
          break;
        }
        const reading = ids.map((id) => collect(storage.readFile(id, { start: 1, transient: true })));
        const read = await Promise.all(reading);
        expect(read.map(sha256Of)).toEqual(contents.map((content) => sha256Of(content.subarray(1))));
      }
    });

    test('a range of a small file works too', async () => {
      const { storage } = await makeStorage(options);
      const content = randomContent(1_000);
      const { id } = await storage.saveFile(content, { name: 'f' });
      expect(await collect(storage.readFile(id, { start: 10, end: 20 }))).toEqual(content.subarray(10, 20));
    });

    test('an end after the file means its end', async () => {
      const { storage } = await makeStorage(options);
      const { id } = await storage.saveFile(new Uint8Array([1, 2, 3]), { name: 'f' });
      expect(await collect(storage.readFile(id, { start: 1, end: 99 }))).toEqual(new Uint8Array([2, 3]));
    });

    test.each([
      [-1, 2],
      [2, 1],
      [4, 5],
      [0.5, 1],
      [Number.NaN, 1],
    ])('the range %d to %d of three bytes is refused', async (start, end) => {
      const { storage } = await makeStorage(options);
      const { id } = await storage.saveFile(new Uint8Array([1, 2, 3]), { name: 'f' });
      await expect(collect(storage.readFile(id, { start, end }))).rejects.toMatchObject({ code: 'INVALID' });
    });
  });
});
