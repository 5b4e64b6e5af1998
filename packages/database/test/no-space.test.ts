import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDatabase } from '../src/index.ts';
import type { CofferDatabase, FileRow } from '../src/index.ts';
import { expectError, expectRejection } from './support/expect-error.ts';
import { KEY, addBlob, fileRow, newDatabase, reopen } from './support/sample-database.ts';
import { canMount, smallDisk } from './support/small-disk.ts';

// Real processes and files, on machines that do other things as well.

/** Adds files until there is no space; returns those that were acknowledged. */
function fill(database: CofferDatabase): FileRow[] {
  const rows: FileRow[] = [];
  const error = expectError('NO_SPACE', () => {
    for (;;) rows.push(addBlob(database, new Uint8Array(90_000).fill(rows.length)));
  });
  expect(error.message).toContain('no space left');
  return rows;
}

function expectAll(database: CofferDatabase, rows: readonly FileRow[]): void {
  expect(database.files.count()).toBe(rows.length);
  for (const row of rows) expect(database.files.getBlob(row.id)).toHaveLength(row.sizeBytes);
  expect(database.integrityCheck()).toEqual([]);
}

describe.skipIf(!canMount)('on a full disk (needs root, to mount a small one)', () => {
  test('a write says so and loses nothing, then or after closing', () => {
    const database = newDatabase(join(smallDisk(4 << 20), 'data.db'));
    const rows = fill(database);
    expect(rows.length).toBeGreaterThan(5);
    expectAll(database, rows);
    database.close();
    expectAll(reopen(database.path), rows);
  });

  test('a new database is whole or not there, however little space there is', () => {
    const disk = smallDisk(1 << 20);
    let [made, refused] = [0, 0];
    for (let freeBytes = 0; freeBytes < 640 * 1024; freeBytes += 4096) {
      writeFileSync(join(disk, 'ballast'), new Uint8Array((1 << 20) - freeBytes - 4096));
      const path = join(disk, 'data.db');
      try {
        const database = createDatabase({ path, key: KEY });
        expect(database.integrityCheck()).toEqual([]);
        expect(database.files.count()).toBe(0);
        database.close();
        made += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'NO_SPACE' });
        refused += 1;
      }
      expect(readdirSync(disk).filter((name) => name.includes('.new'))).toEqual([]);
      for (const name of readdirSync(disk)) rmSync(join(disk, name));
    }
    expect(made).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  test('a transaction that runs into it is undone whole', () => {
    const database = newDatabase(join(smallDisk(4 << 20), 'data.db'));
    const first = addBlob(database, new Uint8Array(1000));
    expectError('NO_SPACE', () => {
      database.transaction(() => {
        for (;;) {
          try {
            addBlob(database, new Uint8Array(90_000));
          } catch {
            // Going on after an error that undid everything would commit the rest without its beginning.
            database.settings.set('half', 'done');
          }
        }
      });
    });
    expect(database.settings.get('half')).toBeUndefined();
    expectAll(database, [first]);
  });

  test('writing goes on once there is space again', () => {
    const disk = smallDisk(4 << 20);
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, new Uint8Array(2 << 20));
    const database = newDatabase(join(disk, 'data.db'));
    const rows = fill(database);
    rmSync(ballast);
    rows.push(addBlob(database, new Uint8Array(90_000)));
    expectAll(database, rows);
  });

  test('neither a new database nor a backup leaves a part of itself', async () => {
    const disk = smallDisk(256 << 10);
    writeFileSync(join(disk, 'ballast'), new Uint8Array(220 << 10));
    expectError('NO_SPACE', () => createDatabase({ path: join(disk, 'data.db'), key: KEY }));
    const database = newDatabase();
    addBlob(database, new Uint8Array(100_000));
    await expectRejection('NO_SPACE', database.backupTo(join(disk, 'backup.db'), { key: KEY }));
    expect(readdirSync(disk)).toEqual(['ballast']);
    expect(database.files.count()).toBe(1);
  });
});

describe.skipIf(!canMount)(
  'deleting on a disk without a free byte (needs root, to mount a small one)',
  () => {
    interface FullDisk {
      readonly ballast: string;
      readonly database: CofferDatabase;
      readonly blob: FileRow;
      readonly sealed: FileRow;
    }

    /** A database with two files that was closed and opened again, on a disk that other things then filled to the last byte. */
    function fullDisk(): FullDisk {
      const disk = smallDisk(4 << 20);
      const first = newDatabase(join(disk, 'data.db'));
      const blob = addBlob(first, new Uint8Array(100_000).fill(1));
      const sealed = fileRow({ placement: 'sealed' });
      first.files.insert(sealed);
      first.close();
      const database = reopen(first.path);
      const ballast = join(disk, 'ballast');
      fillTo(ballast);
      return { ballast, database, blob, sealed };
    }

    function fillTo(path: string): void {
      const descriptor = openSync(path, 'w');
      try {
        for (;;) writeSync(descriptor, new Uint8Array(4096));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      } finally {
        closeSync(descriptor);
      }
    }

    test('fails when the transaction is not marked as freeing space', () => {
      const { database, blob } = fullDisk();
      expectError('NO_SPACE', () => database.transaction(() => database.files.remove(blob.id)));
      expect(database.files.find(blob.id)).toEqual(blob);
      expect(existsSync(`${database.path}.reserve`)).toBe(true);
    });

    test('works, for bytes in the database and for the row of a sealed file', () => {
      const { database, blob, sealed } = fullDisk();
      database.transaction(() => database.files.remove(blob.id), { freesSpace: true });
      database.transaction(
        () => {
          database.files.remove(sealed.id);
          database.tombstones.add(sealed.id, 1);
        },
        { freesSpace: true },
      );
      expect(database.files.count()).toBe(0);
      expect(database.integrityCheck()).toEqual([]);
      database.close();
      const again = reopen(database.path);
      expect(again.files.count()).toBe(0);
      expect(again.tombstones.has(sealed.id)).toBe(true);
    });

    test('makes room for another file of that size', () => {
      const { database, blob } = fullDisk();
      expectError('NO_SPACE', () => addBlob(database, new Uint8Array(100_000)));
      database.transaction(() => database.files.remove(blob.id), { freesSpace: true });
      const added = addBlob(database, new Uint8Array(100_000));
      expect(database.files.getBlob(added.id)).toHaveLength(100_000);
    });

    test('has a reserve again when there is space, after closing or at the next opening', () => {
      const { ballast, database, blob } = fullDisk();
      const reserve = `${database.path}.reserve`;
      database.transaction(() => database.files.remove(blob.id), { freesSpace: true });
      expect(existsSync(reserve)).toBe(false);
      rmSync(ballast);
      database.close();
      expect(statSync(reserve)).toMatchObject({ size: 1 << 20 });
      rmSync(reserve);
      addBlob(reopen(database.path), new Uint8Array(100_000));
      expect(statSync(reserve)).toMatchObject({ size: 1 << 20 });
    });

    test('leaves no part of a reserve for which there is no space, and opens all the same', () => {
      const { ballast, database } = fullDisk();
      database.close();
      rmSync(`${database.path}.reserve`);
      fillTo(ballast);
      expect(reopen(database.path).files.count()).toBe(2);
      expect(existsSync(`${database.path}.reserve`)).toBe(false);
    });

    test('runs the work once when nothing is wrong, and not again for other errors', () => {
      const { database, ballast } = fullDisk();
      rmSync(ballast);
      let runs = 0;
      expect(database.transaction(() => (runs += 1), { freesSpace: true })).toBe(1);
      const refuse = (): never => {
        runs += 1;
        throw new Error('refused');
      };
      expect(() => database.transaction(refuse, { freesSpace: true })).toThrow('refused');
      expect(runs).toBe(2);
    });
  },
);
