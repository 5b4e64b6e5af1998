import {
  copyFileSync,
  existsSync,
  linkSync,
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
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFileStorage } from '../src/index.ts';
import { KEY, makeFolder, makeStorage, open, randomContent, sealedNames } from './support.ts';

const ID = 'a'.repeat(32);

describe('recovery', () => {
  test('gives a saved file its final name', async () => {
    const { directory, storage } = await makeStorage();
    const content = randomContent(200_000);
    const { id } = await storage.saveFile(content, { name: 'f' });
    const path = join(directory, 'files', `${id}.enc`);
    renameSync(path, `${path}.tmp`);
    expect(await storage.recover()).toMatchObject({ finished: [id], removed: [], damaged: [] });
    expect(await storage.getFile(id)).toEqual(content);
  });

  test('removes what no row names, after making it unreadable', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    const orphan = join(directory, 'files', `${ID}.enc.tmp`);
    copyFileSync(join(directory, 'files', `${id}.enc`), orphan);
    expect(await storage.recover()).toMatchObject({ finished: [], removed: [ID] });
    expect(sealedNames(directory)).toEqual([`${id}.enc`]);
  });

  test('removes a temporary file whose final one exists', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    writeFileSync(join(directory, 'files', `${id}.enc.tmp`), 'x');
    expect(await storage.recover()).toMatchObject({ finished: [], removed: [id] });
    expect(await storage.getFile(id)).toHaveLength(200_000);
  });

  test('moves a sealed file without a row to quarantine, byte for byte', async () => {
    const { directory, storage } = await makeStorage();
    const bytes = randomContent(10_000);
    writeFileSync(join(directory, 'files', `${ID}.enc`), bytes);
    const { quarantined } = await storage.recover();
    expect(quarantined).toEqual([join(directory, 'quarantine', `${ID}.enc`)]);
    expect(readFileSync(quarantined[0] ?? '').equals(bytes)).toBe(true);
    writeFileSync(join(directory, 'files', `${ID}.enc`), 'second');
    await storage.recover();
    expect(readdirSync(join(directory, 'quarantine')).sort()).toEqual([`${ID}.enc`, `${ID}.enc.1`]);
  });

  test('an older database put back destroys no newer file', async () => {
    const directory = makeFolder();
    const before = await openFileStorage({ directory, key: KEY });
    await before.storage.saveFile(randomContent(200_000), { name: 'old' });
    await before.close();
    copyFileSync(join(directory, 'data.db'), join(directory, 'older.db'));
    const later = await openFileStorage({ directory, key: KEY });
    const { id } = await later.storage.saveFile(randomContent(200_000), { name: 'new' });
    await later.close();
    const bytes = readFileSync(join(directory, 'files', `${id}.enc`));
    renameSync(join(directory, 'older.db'), join(directory, 'data.db'));
    const { storage } = await open(directory);
    expect(storage.listFiles().rows.map((row) => row.name)).toEqual(['old']);
    await storage.recover();
    expect(readFileSync(join(directory, 'quarantine', `${id}.enc`)).equals(bytes)).toBe(true);
  });

  describe('of sealing a file again', () => {
    test('shreds the old file once the new one has its name', async () => {
      const { directory, storage } = await makeStorage();
      const content = randomContent(200_000);
      const { id } = await storage.saveFile(content, { name: 'f' });
      const path = join(directory, 'files', `${id}.enc`);
      copyFileSync(path, `${path}.replaced`);
      // What becomes of its bytes when it has no name any more.
      linkSync(`${path}.replaced`, join(directory, 'watched'));
      expect(await storage.recover()).toMatchObject({ finished: [], removed: [id], damaged: [] });
      expect(sealedNames(directory)).toEqual([`${id}.enc`]);
      expect(await storage.getFile(id)).toEqual(content);
      const watched = readFileSync(join(directory, 'watched'));
      expect(watched.subarray(0, 8192).equals(Buffer.alloc(8192))).toBe(true);
    });

    test('takes only the second name from a file that was not replaced yet', async () => {
      const { directory, storage } = await makeStorage();
      const content = randomContent(200_000);
      const { id } = await storage.saveFile(content, { name: 'f' });
      const path = join(directory, 'files', `${id}.enc`);
      linkSync(path, `${path}.replaced`);
      expect(await storage.recover()).toMatchObject({ finished: [], removed: [id], damaged: [] });
      expect(sealedNames(directory)).toEqual([`${id}.enc`]);
      expect(await storage.getFile(id)).toEqual(content);
    });

    test('gives a file its name back when nothing came in its place', async () => {
      const { directory, storage } = await makeStorage();
      const content = randomContent(200_000);
      const { id } = await storage.saveFile(content, { name: 'f' });
      const path = join(directory, 'files', `${id}.enc`);
      renameSync(path, `${path}.replaced`);
      expect(await storage.recover()).toMatchObject({ finished: [id], removed: [], damaged: [] });
      expect(await storage.getFile(id)).toEqual(content);
      renameSync(path, join(directory, 'files', `${ID}.enc.replaced`));
      const { quarantined } = await storage.recover();
      expect(quarantined).toEqual([join(directory, 'quarantine', `${ID}.enc`)]);
    });

    test('does the same in the quarantine', async () => {
      const { directory, storage } = await makeStorage();
      const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
      const sealed = join(directory, 'files', `${id}.enc`);
      const at = (name: string): string => join(directory, 'quarantine', name);
      mkdirSync(at(''));
      for (const name of ['.enc', '.enc.tmp', '.enc.1.replaced', '.enc.2', '.enc.2.replaced', '.enc.old'])
        copyFileSync(sealed, at(`${ID}${name}`));
      linkSync(at(`${ID}.enc`), at(`${ID}.enc.replaced`));
      await storage.recover();
      const names = ['.enc', '.enc.1', '.enc.2', '.enc.old'].map((name) => `${ID}${name}`);
      expect(readdirSync(at('')).sort()).toEqual(names);
      const bytes = readFileSync(sealed);
      for (const name of names) expect(readFileSync(at(name)).equals(bytes), name).toBe(true);
    });

    test('leaves nothing of a file that was deleted', async () => {
      const { directory, storage } = await makeStorage();
      const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
      const path = join(directory, 'files', `${id}.enc`);
      copyFileSync(path, `${path}.replaced`);
      linkSync(`${path}.replaced`, join(directory, 'watched'));
      expect(await storage.deleteFile(id)).toMatchObject({ pending: [] });
      expect(sealedNames(directory)).toEqual([]);
      expect(
        readFileSync(join(directory, 'watched'))
          .subarray(0, 8192)
          .some((byte) => byte !== 0),
      ).toBe(false);
    });
  });

  test('does not wait for a FIFO that bears the name of a leftover, nor follows a link', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    const victim = join(directory, 'victim');
    writeFileSync(victim, 'mine');
    execFileSync('mkfifo', [join(directory, 'files', `${ID}.enc.tmp`)]);
    symlinkSync(victim, join(directory, 'files', `${'b'.repeat(32)}.enc.tmp`));
    expect((await storage.recover()).removed).toHaveLength(2);
    rmSync(join(directory, 'files', `${id}.enc`));
    execFileSync('mkfifo', [join(directory, 'files', `${id}.enc`)]);
    expect(await storage.deleteFile(id)).toMatchObject({ pending: [] });
    expect(sealedNames(directory)).toEqual([]);
    expect(readFileSync(victim, 'utf8')).toBe('mine');
  });

  test('leaves names alone that are not its own', async () => {
    const { directory, storage } = await makeStorage();
    const names = ['notes.txt', `${ID}.enc.bak`, `${'A'.repeat(32)}.enc.tmp`, `${ID}0.enc.tmp`, '.enc.tmp'];
    for (const name of names) writeFileSync(join(directory, 'files', name), 'x');
    await storage.recover();
    expect(sealedNames(directory)).toEqual([...names].sort());
  });

  test('marks rows whose file is missing or of the wrong length, and never deletes them', async () => {
    const { directory, storage } = await makeStorage();
    const missing = await storage.saveFile(randomContent(200_000), { name: 'missing' });
    const short = await storage.saveFile(randomContent(200_000), { name: 'short' });
    const path = join(directory, 'files', `${missing.id}.enc`);
    renameSync(path, join(directory, 'elsewhere'));
    truncateSync(join(directory, 'files', `${short.id}.enc`), 100_000);
    const { damaged } = await storage.recover();
    expect([...damaged].sort()).toEqual([missing.id, short.id].sort());
    expect(storage.getMetadata(missing.id).condition).toBe('missing');
    expect(storage.getMetadata(short.id).condition).toBe('damaged');
    renameSync(join(directory, 'elsewhere'), path);
    await storage.recover();
    expect(storage.getMetadata(missing.id).condition).toBe('ok');
  });

  test('can be run again and again', async () => {
    const { storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    for (let turn = 0; turn < 3; turn++) {
      expect(await storage.recover()).toEqual({
        finished: [],
        removed: [],
        quarantined: [],
        pending: [],
        damaged: [],
      });
    }
    expect(await storage.getFile(id)).toHaveLength(200_000);
  });

  test('is skipped after a clean close', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    await first.storage.saveFile(randomContent(200_000), { name: 'f' });
    await first.close();
    expect((await open(directory)).recovery).toBeUndefined();
  });
});

describe('delete', () => {
  test('removes row and bytes', async () => {
    const { directory, storage } = await makeStorage();
    const small = await storage.saveFile(randomContent(10), { name: 'small' });
    const large = await storage.saveFile(randomContent(200_000), { name: 'large' });
    expect(await storage.deleteFile(small.id)).toMatchObject({ deleted: [{ id: small.id }], pending: [] });
    expect(await storage.deleteFile(large.id)).toMatchObject({ deleted: [{ id: large.id }], pending: [] });
    expect(sealedNames(directory)).toEqual([]);
    expect(storage.listFiles().rows).toEqual([]);
    await expect(storage.getFile(large.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(storage.deleteFile(large.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('of several is all or none', async () => {
    const { storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    const unknown = storage.getMetadata(id).id.replace(/./g, '0') as typeof id;
    await expect(storage.deleteFiles([id, unknown])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await storage.getFile(id)).toHaveLength(200_000);
  });

  test('overwrites both header places before it unlinks', async () => {
    const { directory, storage } = await makeStorage();
    const { id } = await storage.saveFile(randomContent(200_000), { name: 'f' });
    linkSync(join(directory, 'files', `${id}.enc`), join(directory, 'watched'));
    await storage.deleteFile(id);
    const left = readFileSync(join(directory, 'watched'));
    expect(left.subarray(0, 8_192).equals(Buffer.alloc(8_192))).toBe(true);
    expect(left.length).toBeGreaterThan(200_000);
  });

  test('that a crash cut short is finished at the next opening', async () => {
    const directory = makeFolder();
    const first = await openFileStorage({ directory, key: KEY });
    const { id } = await first.storage.saveFile(randomContent(200_000), { name: 'f' });
    const path = join(directory, 'files', `${id}.enc`);
    const copy = readFileSync(path);
    // A folder in the place of the file can't be unlinked: as when the process ends before it comes to that.
    rmSync(path);
    mkdirSync(path);
    expect(await first.storage.deleteFile(id)).toMatchObject({ pending: [{ id }] });
    await first.close();
    rmSync(path, { recursive: true });
    writeFileSync(path, copy);
    const { recovery, storage } = await open(directory);
    expect(recovery).toMatchObject({ removed: [id] });
    expect(existsSync(path)).toBe(false);
    expect((await storage.recover()).removed).toEqual([]);
  });
});
