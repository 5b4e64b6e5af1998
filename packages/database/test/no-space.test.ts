import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createDatabase } from '../src/index.ts';
import type { CofferDatabase, FileRow } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, addBlob, newDatabase, reopen } from './support/sample-database.ts';
import { canMount, smallDisk } from './support/small-disk.ts';

// Real processes and files, on machines that do other things as well.
vi.setConfig({ testTimeout: 60_000 });

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

  test('neither a new database nor a backup leaves a part of itself', () => {
    const disk = smallDisk(256 << 10);
    writeFileSync(join(disk, 'ballast'), new Uint8Array(220 << 10));
    expectError('NO_SPACE', () => createDatabase({ path: join(disk, 'data.db'), key: KEY }));
    const database = newDatabase();
    addBlob(database, new Uint8Array(100_000));
    expectError('NO_SPACE', () => {
      database.backupTo(join(disk, 'backup.db'));
    });
    expect(readdirSync(disk)).toEqual(['ballast']);
    expect(database.files.count()).toBe(1);
  });
});
