import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileStorage } from '../src/index.ts';
import { makeFolder, makeStorage, open, randomContent, sealedNames } from './support.ts';

const ID = 'b'.repeat(32);

interface Lost {
  readonly directory: string;
  readonly storage: FileStorage;
  readonly name: string;
  readonly id: string;
  readonly content: Uint8Array;
}

/** A sealed file whose row is not in the database that was put back. */
async function inQuarantine(content: Uint8Array = randomContent(600_000)): Promise<Lost> {
  const directory = makeFolder();
  const first = await open(directory);
  await first.storage.saveFile(randomContent(10), { name: 'older' });
  await first.close();
  const database = join(directory, 'data.db');
  copyFileSync(database, `${database}.older`);
  const newer = await open(directory);
  const { id } = await newer.storage.saveFile(content, { name: 'newer.bin' });
  await newer.close();
  renameSync(`${database}.older`, database);
  const { storage } = await open(directory);
  expect((await storage.recover()).quarantined).toEqual([join(directory, 'quarantine', `${id}.enc`)]);
  return { directory, storage, name: `${id}.enc`, id, content };
}

describe('a file in the quarantine', () => {
  test('is listed with its size and whether it opens', async () => {
    const { directory, storage, name, id } = await inQuarantine();
    writeFileSync(join(directory, 'quarantine', `${ID}.enc`), 'not sealed');
    writeFileSync(join(directory, 'quarantine', 'notes.txt'), 'mine');
    const list = await storage.listQuarantine();
    expect(list.map((each) => [each.name, each.contentSizeBytes, each.problem?.damage]).sort()).toEqual(
      [
        [name, 600_000, undefined],
        [`${ID}.enc`, undefined, 'FILE_TRUNCATED'],
      ].sort(),
    );
    expect(list.find((each) => each.id === id)?.row).toBeUndefined();
  });

  test.each([102_400, 262_144, 262_145, 600_000])('is adopted whole: %i bytes', async (sizeBytes) => {
    const { directory, storage, name, id, content } = await inQuarantine(randomContent(sizeBytes));
    const row = await storage.adoptQuarantined(name, { folder: 'found' });
    expect(row).toMatchObject({
      id,
      name: `recovered-${id.slice(0, 8)}`,
      folder: 'found',
      sizeBytes,
      condition: 'ok',
    });
    expect(await storage.getFile(row.id)).toEqual(content);
    expect([sealedNames(directory), readdirSync(join(directory, 'quarantine'))]).toEqual([[name], []]);
    expect(await storage.recover()).toMatchObject({ quarantined: [], damaged: [], removed: [] });
    await expect(storage.adoptQuarantined(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('gets an ending by its content, or the name that is given', async () => {
    const first = await inQuarantine(Buffer.concat([Buffer.from('%PDF-1.7\n'), randomContent(200_000)]));
    const { name, mimeType } = await first.storage.adoptQuarantined(first.name);
    expect([name, mimeType]).toEqual([`recovered-${first.id.slice(0, 8)}.pdf`, 'application/pdf']);
    const second = await inQuarantine();
    expect(await second.storage.adoptQuarantined(second.name, { name: 'film.mp4' })).toMatchObject({
      name: 'film.mp4',
      mimeType: 'video/mp4',
    });
  });

  test.each([
    ['its header', 20, 'HEADER_DAMAGED'],
    ['a segment in the middle', 8192 + 262_144 + 500, 'SEGMENT_DAMAGED'],
    ['its end', -1, 'FILE_TRUNCATED'],
  ])('is not adopted, and stays where it is, when it is damaged in %s', async (_where, offset, damage) => {
    const { directory, storage, name } = await inQuarantine();
    const path = join(directory, 'quarantine', name);
    const bytes = readFileSync(path);
    const at = offset < 0 ? bytes.length + offset : offset;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    await expect(storage.adoptQuarantined(name)).rejects.toMatchObject({ code: 'DAMAGED', damage });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect([sealedNames(directory), storage.listFiles().rows]).toEqual([
      [],
      [expect.objectContaining({ name: 'older' })],
    ]);
  });

  test('gives a row that lost its content the content back, if it is that content', async () => {
    const { directory, storage } = await makeStorage();
    const content = randomContent(300_000);
    const { id } = await storage.saveFile(content, { name: 'mine.bin', tags: ['t'] });
    const other = await storage.saveFile(randomContent(300_000), { name: 'other.bin' });
    const quarantine = join(directory, 'quarantine');
    mkdirSync(quarantine);
    renameSync(join(directory, 'files', `${id}.enc`), join(quarantine, `${id}.enc`));
    await storage.recover();
    expect(storage.getMetadata(id).condition).toBe('missing');
    expect((await storage.listQuarantine())[0]?.row?.name).toBe('mine.bin');
    expect(await storage.adoptQuarantined(`${id}.enc`, { name: 'ignored' })).toMatchObject({
      name: 'mine.bin',
      condition: 'ok',
    });
    expect(await storage.getFile(id)).toEqual(content);

    copyFileSync(join(directory, 'files', `${id}.enc`), join(quarantine, `${other.id}.enc`));
    rmSync(join(directory, 'files', `${other.id}.enc`));
    await expect(storage.adoptQuarantined(`${other.id}.enc`)).rejects.toMatchObject({
      damage: 'FILE_SWAPPED',
    });
  });

  test('never replaces a sealed file that is in its place', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(300_000), { name: 'mine.bin' });
    mkdirSync(join(directory, 'quarantine'));
    copyFileSync(join(directory, 'files', `${id}.enc`), join(directory, 'quarantine', `${id}.enc.1`));
    await expect(storage.adoptQuarantined(`${id}.enc.1`)).rejects.toMatchObject({ code: 'EXISTS' });
    expect(await storage.getFile(id)).toHaveLength(300_000);
  });

  test('goes back when it cannot be placed', async () => {
    const { directory, storage, name } = await inQuarantine();
    const place = (): never => {
      throw new RangeError('taken');
    };
    await expect(storage.adoptQuarantined(name, { place })).rejects.toThrow(RangeError);
    expect([sealedNames(directory), readdirSync(join(directory, 'quarantine'))]).toEqual([[], [name]]);
    expect((await storage.adoptQuarantined(name)).sizeBytes).toBe(600_000);
  });

  test('that was moved when the process was killed is put back by recovery', async () => {
    const { directory, storage, name } = await inQuarantine();
    renameSync(join(directory, 'quarantine', name), join(directory, 'files', name));
    expect((await storage.recover()).quarantined).toEqual([join(directory, 'quarantine', name)]);
    expect((await storage.adoptQuarantined(name)).sizeBytes).toBe(600_000);
  });

  test('that has a name in both folders, as a loss of power may leave it, is there once after recovery', async () => {
    const { directory, storage, name } = await inQuarantine();
    const path = join(directory, 'quarantine', name);
    linkSync(path, join(directory, 'files', name));
    expect((await storage.recover()).quarantined).toEqual([path]);
    expect([sealedNames(directory), readdirSync(join(directory, 'quarantine'))]).toEqual([[], [name]]);
    expect((await storage.adoptQuarantined(name)).sizeBytes).toBe(600_000);
  });

  test('that has two names in the quarantine loses one when that is dropped, and its content with the other', async () => {
    const { directory, storage, name } = await inQuarantine();
    const path = join(directory, 'quarantine', name);
    linkSync(path, `${path}.1`);
    linkSync(path, join(directory, 'witness'));
    await storage.dropQuarantined(`${name}.1`);
    expect((await storage.listQuarantine()).map((each) => each.contentSizeBytes)).toEqual([600_000]);
    await storage.dropQuarantined(name);
    expect(readFileSync(join(directory, 'witness')).subarray(0, 8192)).toEqual(Buffer.alloc(8192));
  });

  test('that is a file of the storage under another name is not destroyed when it is dropped', async () => {
    const { directory, storage, name, content } = await inQuarantine();
    linkSync(join(directory, 'quarantine', name), join(directory, 'quarantine', `${name}.1`));
    const { id } = await storage.adoptQuarantined(name);
    await storage.dropQuarantined(`${name}.1`);
    expect(readdirSync(join(directory, 'quarantine'))).toEqual([]);
    expect(await storage.getFile(id)).toEqual(content);
  });

  test('is destroyed when it is dropped: its key is overwritten', async () => {
    const { directory, storage, name } = await inQuarantine();
    const path = join(directory, 'quarantine', name);
    // A second name for the same bytes shows what became of them.
    linkSync(path, `${path}.witness`);
    await storage.dropQuarantined(name);
    expect(existsSync(path)).toBe(false);
    expect(
      readFileSync(`${path}.witness`)
        .subarray(0, 8192)
        .every((byte) => byte === 0),
    ).toBe(true);
    await expect(storage.dropQuarantined(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each(['../data.db', 'notes.txt', '', `${ID}.enc.0`, `${ID}.enc/../x`])(
    'is never called %j',
    async (name) => {
      const { storage } = await makeStorage();
      await expect(storage.dropQuarantined(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(storage.adoptQuarantined(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );
});
