import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync, watch, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openKeyedDriver } from '../src/keyed-connection.ts';
import type { DriverDatabase } from '../src/driver.ts';
import { openDatabase } from '../src/index.ts';
import type { CofferDatabase } from '../src/index.ts';
import { expectRejection } from './support/expect-error.ts';
import { largeDatabase, turnsUntil } from './support/large-database.ts';
import { OtherProcess } from './support/other-process.ts';
import { KEY, OTHER_KEY, addBlob, newDatabase, reopen } from './support/sample-database.ts';
import { canMount, smallDisk } from './support/small-disk.ts';

const CHECK = { key: KEY };

/** What a check reads in another process, with what SQLite puts beside it. */
function copies({ path }: Pick<CofferDatabase, 'path'>): string[] {
  return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.check`));
}

/** Resolves when there is one. To be called before the check begins: however short its life is, it is not missed. */
function copyAppears({ path }: Pick<CofferDatabase, 'path'>): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(dirname(path), (_event, name) => {
      if (name?.startsWith(`${basename(path)}.check`) !== true) return;
      watcher.close();
      resolve();
    });
    onTestFinished(() => {
      watcher.close();
    });
  });
}

/** The content of one page, or of several, is no longer what was written there. */
function damagePages(path: string, ...numbers: number[]): void {
  const descriptor = openSync(path, 'r+');
  for (const number of numbers) writeSync(descriptor, new Uint8Array(16), 0, 16, (number - 1) * 4096 + 100);
  closeSync(descriptor);
}

/** Every page stays authentic: only SQLite can see what is wrong. */
function changeInside(path: string, change: (driver: DriverDatabase) => void): void {
  const driver = openKeyedDriver(path, KEY);
  driver.unsafeMode(true);
  driver.pragma('foreign_keys = OFF');
  driver.pragma('writable_schema = ON');
  change(driver);
  driver.close();
}

describe('while the structure of a large database is checked', () => {
  test('it answers, and nothing is found and left', async () => {
    const { database, rows } = largeDatabase();
    const checking = database.integrityCheckAside(CHECK);
    const turns = await turnsUntil(checking, () => {
      expect(database.files.count()).toBe(rows.length);
    });
    // Checking in this thread would have left it one.
    expect(turns).toBeGreaterThan(20);
    expect(await checking).toEqual([]);
    expect(copies(database)).toEqual([]);
  });

  test('what is written meanwhile stays, and the log can be emptied afterwards', async () => {
    const { database, rows } = largeDatabase();
    const begun = copyAppears(database);
    const checking = database.integrityCheckAside(CHECK);
    await begun;
    const added = addBlob(database, new Uint8Array(1000).fill(3));
    database.files.remove(rows[0].id);
    expect(await checking).toEqual([]);
    database.checkpoint('truncate');
    expect(database.walSizeBytes()).toBe(0);
    database.close();
    const again = reopen(database.path);
    expect(again.files.count()).toBe(rows.length);
    expect(again.files.getBlob(added.id)).toEqual(new Uint8Array(1000).fill(3));
    expect(again.integrityCheck()).toEqual([]);
  });

  test('its pages can be scanned and a copy be made at the same time', async () => {
    const { database, rows } = largeDatabase();
    const all = await Promise.all([
      database.scanPages(CHECK),
      database.integrityCheckAside(CHECK),
      database.integrityCheckAside(CHECK),
      database.stageRekey({ key: KEY, newKey: OTHER_KEY }),
    ]);
    expect([all[0].damagedPages, all[1], all[2]]).toEqual([[], [], []]);
    await all[3].commit();
    expect(await database.integrityCheckAside({ key: OTHER_KEY })).toEqual([]);
    expect(database.files.count()).toBe(rows.length);
  });

  test('nothing of it is on the disk in clear', async () => {
    const database = newDatabase();
    const text = 'PlainMarker4711 ';
    for (let number = 0; number < 70; number += 1)
      addBlob(database, Buffer.from(text.repeat(5000)), { name: `${text}${String(number)}` });
    database.checkpoint('truncate');
    let seenBytes = 0;
    const checking = database.integrityCheckAside(CHECK);
    await turnsUntil(checking, () => {
      for (const name of copies(database)) {
        const bytes = readIfThere(join(dirname(database.path), name));
        seenBytes = Math.max(seenBytes, bytes.length);
        for (const clear of [text, 'SQLite format 3', 'CREATE TABLE'])
          expect(bytes.includes(clear)).toBe(false);
      }
    });
    expect(await checking).toEqual([]);
    expect(seenBytes).toBeGreaterThan(4 << 20);
  });

  test('a signal ends it, and nothing is left of it', async () => {
    const { database, rows } = largeDatabase();
    const controller = new AbortController();
    const begun = copyAppears(database);
    const checking = database.integrityCheckAside({ ...CHECK, signal: controller.signal });
    await begun;
    controller.abort(new Error('interrupted'));
    await expect(checking).rejects.toThrow('interrupted');
    expect(copies(database)).toEqual([]);
    expect(database.files.count()).toBe(rows.length);
    database.checkpoint('truncate');
  });

  test('closing it ends that', async () => {
    const { database } = largeDatabase();
    const begun = copyAppears(database);
    const checking = database.integrityCheckAside(CHECK);
    await begun;
    database.close();
    await expectRejection('CLOSED', checking);
    expect(copies(database)).toEqual([]);
    await expectRejection('CLOSED', database.integrityCheckAside(CHECK));
  });

  test('kill -9 leaves nothing of the copy after the next opening', async () => {
    const { database, rows } = largeDatabase();
    database.close();
    const child = new OtherProcess('check-until-killed.ts', database.path, Buffer.from(KEY).toString('hex'));
    expect(await child.line()).toBe('open');
    await expect.poll(() => copies(database).length).toBeGreaterThan(0);
    await child.kill();
    // What checks for it ends by itself, in its own time.
    await expect
      .poll(() => {
        const again = openDatabase({ path: database.path, key: KEY });
        expect(again.files.count()).toBe(rows.length);
        again.close();
        return copies(database);
      })
      .toEqual([]);
  });
});

function readIfThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

describe('a check that begins in another process finds the same in a large database', () => {
  test.each<[what: string, damage: (path: string) => void]>([
    [
      'a page of the content of a file',
      (path) => {
        damagePages(path, 900);
      },
    ],
    [
      'several pages of it',
      (path) => {
        damagePages(path, 300, 301, 900, 1200);
      },
    ],
    [
      'the page that says where pages belong',
      (path) => {
        damagePages(path, 2);
      },
    ],
    [
      'the roots of tables and indexes',
      (path) => {
        damagePages(path, 3, 4, 5, 6, 7, 8);
      },
    ],
    [
      'a row that another one references',
      (path) => {
        changeInside(path, (driver) => driver.exec('DELETE FROM files WHERE file_key = 3'));
      },
    ],
    [
      'rows of an index',
      (path) => {
        changeInside(path, (driver) =>
          driver.exec(
            `UPDATE sqlite_schema SET sql = replace(sql, '''ok''', '''missing''') WHERE name = 'files_not_ok'`,
          ),
        );
      },
    ],
    [
      'the root of an index, with that of another in its place',
      (path) => {
        changeInside(path, (driver) =>
          driver.exec(
            `UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'file_tags_by_tag') WHERE name = 'files_by_path'`,
          ),
        );
      },
    ],
  ])('that has lost %s', async (_, damage) => {
    const { database } = largeDatabase();
    database.close();
    damage(database.path);
    const here = openDatabase({ path: database.path, key: KEY });
    const expected = here.integrityCheck();
    here.close();
    expect(expected.length).toBeGreaterThan(0);
    const damaged = reopen(database.path);
    const begun = copyAppears(damaged);
    const checking = damaged.integrityCheckAside(CHECK);
    await begun;
    expect(await checking).toEqual(expected);
    expect(copies(damaged)).toEqual([]);
  });

  test.each([
    ['its first page', 1],
    ['the content of a file', 900],
  ])('when %s is damaged while it is open', async (_, number) => {
    const { database } = largeDatabase();
    // By somebody else: closing an open database's file here would drop its lock.
    const args = [
      'if=/dev/zero',
      `of=${database.path}`,
      'bs=1',
      'count=16',
      `seek=${String((number - 1) * 4096 + 100)}`,
    ];
    expect(spawnSync('dd', [...args, 'conv=notrunc'], { stdio: 'ignore' }).status).toBe(0);
    const expected = database.integrityCheck();
    expect(await database.integrityCheckAside(CHECK)).toEqual(expected);
    expect(copies(database)).toEqual([]);
    expect((await database.scanPages(CHECK)).damagedPages).toEqual([number]);
  });
});

describe('a large database is checked in the process that has it', () => {
  test('where no other one can be started', async () => {
    const { database } = largeDatabase();
    const { execPath } = process;
    onTestFinished(() => {
      process.execPath = execPath;
    });
    process.execPath = join(dirname(database.path), 'missing');
    expect(await database.integrityCheckAside(CHECK)).toEqual([]);
    expect(copies(database)).toEqual([]);
  });

  test('where the key that it is asked with is not that of the database', async () => {
    const { database } = largeDatabase();
    expect(await database.integrityCheckAside({ key: OTHER_KEY })).toEqual([]);
    expect(copies(database)).toEqual([]);
  });

  test.skipIf(!canMount)(
    'where the disk has no space for a copy and as much for who writes meanwhile (needs root, to mount a small one)',
    async () => {
      const { database, rows } = largeDatabase(join(smallDisk(18 << 20), 'data.db'));
      const checking = database.integrityCheckAside(CHECK);
      await turnsUntil(checking, () => {
        expect(copies(database)).toEqual([]);
      });
      expect(await checking).toEqual([]);
      expect(database.files.count()).toBe(rows.length);
    },
  );
});
