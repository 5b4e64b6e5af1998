import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../src/index.ts';
import type { CofferDatabase } from '../src/index.ts';
import { expectRejection } from './support/expect-error.ts';
import { largeDatabase, turnsUntil } from './support/large-database.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, OTHER_KEY, addBlob, reopen } from './support/sample-database.ts';
import { canMount, smallDisk } from './support/small-disk.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const CHANGE = { key: KEY, newKey: OTHER_KEY };

/** Of copies that are being made or were cut short. */
function unfinished({ path }: Pick<CofferDatabase, 'path'>): string[] {
  return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.rekey`));
}

describe('while a large database is copied under another key', () => {
  test('it answers', async () => {
    const { database, rows } = largeDatabase();
    const staging = database.stageRekey(CHANGE);
    const turns = await turnsUntil(staging, () => {
      expect(database.files.count()).toBe(rows.length);
    });
    // Copying in this thread would have left it one.
    expect(turns).toBeGreaterThan(20);
    await (await staging).commit();
    database.close();
    expect(unfinished(database)).toEqual([]);
    const again = reopen(database.path, OTHER_KEY);
    for (const row of rows) expect(again.files.getBlob(row.id)).toHaveLength(row.sizeBytes);
    expect(again.integrityCheck()).toEqual([]);
  });

  test('what is written meanwhile is there, and stays', async () => {
    const { database, rows } = largeDatabase();
    const staging = database.stageRekey(CHANGE);
    await expect.poll(() => unfinished(database).length).toBeGreaterThan(0);
    const added = addBlob(database, new Uint8Array(1000).fill(3));
    const [first] = rows;
    database.files.remove(first.id);
    const staged = await staging;
    await staged.commit();
    database.close();
    const again = reopen(database.path, OTHER_KEY);
    expect(again.files.count()).toBe(rows.length);
    expect(again.files.getBlob(added.id)).toEqual(new Uint8Array(1000).fill(3));
    expect(again.files.find(first.id)).toBeUndefined();
  });

  test('somebody who never stops writing does not keep it from its end, and loses nothing', async () => {
    const { database } = largeDatabase();
    let written = 0;
    const write = (): void => {
      written += 1;
      database.settings.set(`written/${String(written)}`, 'x');
    };
    const staging = database.stageRekey(CHANGE);
    await turnsUntil(staging, write);
    const staged = await staging;
    await turnsUntil(staged.commit(), write);
    expect(staged.isInPlace).toBe(true);
    database.close();
    const again = reopen(database.path, OTHER_KEY);
    expect(again.settings.all().size).toBe(written);
  });

  test('writing it anew waits, and neither undoes the other', async () => {
    const { database, rows } = largeDatabase();
    const staging = database.stageRekey(CHANGE);
    const rebuilding = database.rebuild(() => Uint8Array.from(KEY));
    const staged = await staging;
    await Promise.all([rebuilding, staged.commit()]);
    database.close();
    const again = reopen(database.path, OTHER_KEY);
    expect(again.files.count()).toBe(rows.length);
    expect(again.integrityCheck()).toEqual([]);
  });

  test('a signal ends it, and nothing is left of it', async () => {
    const { database, rows } = largeDatabase();
    const controller = new AbortController();
    const staging = database.stageRekey({ ...CHANGE, signal: controller.signal });
    await expect.poll(() => unfinished(database).length).toBeGreaterThan(0);
    controller.abort(new Error('interrupted'));
    await expect(staging).rejects.toThrow('interrupted');
    expect(unfinished(database)).toEqual([]);
    expect(database.files.count()).toBe(rows.length);
    await (await database.stageRekey(CHANGE)).commit();
  });

  test('closing it ends that', async () => {
    const { database, rows } = largeDatabase();
    const staging = database.stageRekey(CHANGE);
    await expect.poll(() => unfinished(database).length).toBeGreaterThan(0);
    database.close();
    await expectRejection('CLOSED', staging);
    expect(unfinished(database)).toEqual([]);
    expect(reopen(database.path).files.count()).toBe(rows.length);
  });

  test('a damaged page is found before anything has changed', async () => {
    const { database, rows } = largeDatabase();
    database.close();
    const bytes = readFileSync(database.path);
    bytes[900 * 4096 + 100] = (bytes[900 * 4096 + 100] ?? 0) ^ 1;
    writeFileSync(database.path, bytes);
    const damaged = reopen(database.path);
    await expectRejection('CORRUPT', damaged.stageRekey(CHANGE));
    expect(unfinished(damaged)).toEqual([]);
    expect(damaged.files.count()).toBe(rows.length);
  });

  test('kill -9 leaves it under the old key, and nothing of the copy after the next opening', async () => {
    const { database, rows } = largeDatabase();
    database.close();
    const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');
    const child = new OtherProcess('rekey-until-killed.ts', database.path, hex(KEY), hex(OTHER_KEY));
    expect(await child.line()).toBe('open');
    await expect.poll(() => unfinished(database).length).toBeGreaterThan(1);
    await child.kill();
    // What copies for it ends by itself, in its own time.
    await expect
      .poll(() => {
        const again = openDatabase({ path: database.path, key: KEY });
        expect(again.files.count()).toBe(rows.length);
        again.close();
        return unfinished(database);
      })
      .toEqual([]);
  });
});

test('a backup of a large database is what it was when that began, and reading goes on', async () => {
  const { database, rows } = largeDatabase();
  const path = join(temporaryFolder(), 'backup.db');
  const copying = database.backupTo(path, { key: KEY });
  const turns = await turnsUntil(copying, () => {
    addBlob(database, new Uint8Array(10));
  });
  expect(turns).toBeGreaterThan(20);
  await copying;
  expect(readdirSync(dirname(path))).toEqual(['backup.db']);
  const copy = reopen(path);
  expect(copy.files.count()).toBe(rows.length);
  expect(database.files.count()).toBe(rows.length + turns);
});

describe.skipIf(!canMount)('on a small disk (needs root, to mount one)', () => {
  test('where there is no space for two copies, one is made in the process that has the database', async () => {
    const { database, rows } = largeDatabase(join(smallDisk(18 << 20), 'data.db'));
    await (await database.stageRekey(CHANGE)).commit();
    database.close();
    expect(existsSync(`${database.path}.rekey`)).toBe(false);
    expect(reopen(database.path, OTHER_KEY).files.count()).toBe(rows.length);
  });
});
