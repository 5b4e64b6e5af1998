import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDatabase, rebuildDatabase } from '../src/index.ts';
import type { RebuiltDatabase } from '../src/index.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { expectError } from './support/expect-error.ts';
import { FRAME, FRAME_HEADER, LOG_HEADER, commitEnds } from './support/log-bytes.ts';
import { KEY, OTHER_KEY, newDatabase, reopen } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** What a kill leaves: a database and its log. */
interface Left {
  readonly file: Buffer;
  readonly log: Buffer;
}

const TEXT = 'x'.repeat(1_500);
/** Each a transaction. */
const NAMES = ['first', 'second', 'third', 'fourth'];

function take(path: string): Left {
  return { file: readFileSync(path), log: readFileSync(`${path}-wal`) };
}

/** Puts it on a disk of its own. */
function put({ file, log }: Left): string {
  const path = join(temporaryFolder(), 'data.db');
  writeFileSync(path, file);
  writeFileSync(`${path}-wal`, log);
  return path;
}

/** One setting is in the file, the others are only in the log. `readFileSync` of an open database would let go of its lock, so it is closed then. */
function killed(names: readonly string[] = NAMES, text = TEXT): Left {
  const database = newDatabase();
  database.settings.set('before', text);
  database.checkpoint('truncate');
  for (const name of names) database.settings.set(name, text);
  const copy = join(temporaryFolder(), 'data.db');
  for (const end of ['', '-wal']) copyFileSync(`${database.path}${end}`, `${copy}${end}`);
  database.close();
  return take(copy);
}

function withByteChanged(bytes: Buffer, offset: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(offset) ^ 0x10, offset);
  return changed;
}

function namesIn(path: string): string[] {
  const database = openDatabase({ path, key: KEY });
  try {
    return [...database.settings.all().keys()];
  } finally {
    database.close();
  }
}

async function rebuild(path: string): Promise<RebuiltDatabase> {
  return await rebuildDatabase({
    path,
    key: KEY,
    nowMs: () => 1,
    hashSealed: () => Promise.resolve(undefined),
    nameBytes: () => Promise.reject(new Error('is not asked')),
    finish: () => undefined,
  });
}

/** Every byte of the header, of each frame's own header, and some of each page. */
function offsetsIn(log: Buffer): number[] {
  const offsets = Array.from({ length: LOG_HEADER }, (_, at) => at);
  for (let frame = LOG_HEADER; frame < log.length; frame += FRAME) {
    for (let at = 0; at < FRAME_HEADER; at += 1) offsets.push(frame + at);
    for (let at = FRAME_HEADER; at < FRAME; at += 1_021) offsets.push(frame + at);
  }
  return offsets;
}

test('whatever byte of a log is damaged before its last transaction, opening refuses to lose what comes after it', () => {
  const left = killed();
  const lastBegins = commitEnds(left.log).at(-2) ?? 0;
  expect(commitEnds(left.log)).toHaveLength(NAMES.length);
  for (const offset of offsetsIn(left.log)) {
    const log = withByteChanged(left.log, offset);
    const path = put({ ...left, log });
    const name = `byte ${String(offset)}`;
    const inFrame = (offset - LOG_HEADER) % FRAME;
    const isLastFrame = offset >= left.log.length - FRAME;
    // A number of pages inside of a transaction, and what follows on it: no power cut makes that.
    const isCommitMade = inFrame >= 4 && inFrame < 8 && !isLastFrame;
    if (offset >= lastBegins && !isCommitMade) {
      // That looks as if it had not been written to its end when the power went.
      expect(namesIn(path), name).toEqual(expect.arrayContaining(['before', ...NAMES.slice(0, -1)]));
      continue;
    }
    const error = expectError('CORRUPT', () => openDatabase({ path, key: KEY }));
    expect(error.message, name).toContain(`${path}-wal is damaged`);
    expect(readFileSync(`${path}-wal`).equals(log), name).toBe(true);
    expect(readFileSync(path).equals(left.file), name).toBe(true);
  }
});

test('what a damaged log has is rebuilt: everything, or everything but what was on the damaged page', async () => {
  const left = killed();
  const lastBegins = commitEnds(left.log).at(-2) ?? 0;
  const whole = [...NAMES, 'before'].sort();
  let losses = 0;
  for (const offset of offsetsIn(left.log).filter((at) => at < lastBegins && at % 7 === 0)) {
    const path = put({ ...left, log: withByteChanged(left.log, offset) });
    const { damagedPages } = await rebuild(path);
    const name = `byte ${String(offset)}`;
    const names = namesIn(path).sort();
    expect(whole, name).toEqual(expect.arrayContaining(names));
    expect(names, name).toContain('before');
    // Pages are written again and again: mostly a later transaction has the same one, with what was there before.
    if (names.length === whole.length) continue;
    expect(damagedPages.length, name).toBeGreaterThan(0);
    losses += 1;
  }
  expect(losses).toBeLessThan(20);
});

test('wherever a log ends, what is there is opened, as after a power cut', () => {
  const left = killed();
  const ends = commitEnds(left.log);
  for (let end = 0; end < left.log.length; end += 1_373) {
    const path = put({ ...left, log: left.log.subarray(0, end) });
    const committed = ends.filter((each) => each <= end).length;
    expect(namesIn(path).sort(), String(end)).toEqual(['before', ...NAMES.slice(0, committed)].sort());
  }
});

test('what a transaction that failed has left behind a shorter one is nothing', () => {
  const { file, log } = killed(['first']);
  const tail = (name: string, sizeBytes: number): Buffer => {
    const path = put({ file, log });
    const database = reopen(path);
    database.settings.set(name, 'y'.repeat(sizeBytes));
    const copy = join(temporaryFolder(), 'log');
    copyFileSync(`${path}-wal`, copy);
    return readFileSync(copy);
  };
  const [long, short] = [tail('failed', 60_000), tail('second', 10)];
  expect(long.subarray(0, log.length).equals(log)).toBe(true);
  expect(long.length).toBeGreaterThan(short.length + FRAME);
  const path = put({ file, log: Buffer.concat([short, long.subarray(short.length)]) });
  expect(namesIn(path).sort()).toEqual(['before', 'first', 'second']);
});

test('a log whose header was torn when it began anew has nothing that is not in the file', () => {
  const database = newDatabase();
  for (const name of NAMES) database.settings.set(name, TEXT);
  const log = join(temporaryFolder(), 'log');
  copyFileSync(`${database.path}-wal`, log);
  database.close();
  for (const offset of [0, 12, 20, 28]) {
    const path = put({ file: readFileSync(database.path), log: withByteChanged(readFileSync(log), offset) });
    expect(namesIn(path).sort()).toEqual([...NAMES].sort());
  }
});

test('damage in a log that was moved into the file already costs nothing, once it is rebuilt', async () => {
  const database = newDatabase();
  for (const name of NAMES) database.settings.set(name, TEXT);
  const log = join(temporaryFolder(), 'log');
  copyFileSync(`${database.path}-wal`, log);
  database.close();
  // SQLite would go back to what was before the damage.
  const path = put({
    file: readFileSync(database.path),
    log: withByteChanged(readFileSync(log), LOG_HEADER + FRAME_HEADER + 100),
  });
  expectError('CORRUPT', () => openDatabase({ path, key: KEY }));
  expect(await rebuild(path)).toMatchObject({ damagedPages: [] });
  expect(namesIn(path).sort()).toEqual([...NAMES].sort());
});

test('the log of a database whose first page is damaged stays, for who rebuilds it', async () => {
  // The log has no first page: the file does not grow, and commits are not counted.
  const left = killed(NAMES, 'short');
  const path = put({ ...left, file: withByteChanged(left.file, 100) });
  expectError('WRONG_KEY', () => openDatabase({ path, key: KEY }));
  expect(readFileSync(`${path}-wal`).equals(left.log)).toBe(true);
  await rebuild(path);
  expect(namesIn(path).sort()).toEqual(['before', ...NAMES].sort());
});

test('a first page that a checkpoint has left torn is taken from the log', () => {
  const database = newDatabase();
  database.countCommits();
  for (const name of NAMES) database.settings.set(name, TEXT);
  const copy = join(temporaryFolder(), 'data.db');
  for (const end of ['', '-wal']) copyFileSync(`${database.path}${end}`, `${copy}${end}`);
  database.close();
  const { file, log } = take(copy);
  const torn = Buffer.from(file);
  // Closing has moved the log into the file.
  readFileSync(database.path).copy(torn, 0, 0, 2_048);
  expect(torn.equals(file)).toBe(false);
  expect(namesIn(put({ file: torn, log })).sort()).toEqual([...NAMES].sort());
});

test('what is no log at all costs nothing, as for SQLite', () => {
  const { file } = killed();
  for (const byte of [0, 9, 255]) {
    const path = put({ file, log: Buffer.alloc(20_000, byte) });
    expect(namesIn(path)).toEqual(['before']);
  }
});

test('another key leaves a log as it is', () => {
  const left = killed();
  const path = put(left);
  expectError('WRONG_KEY', () => openDatabase({ path, key: OTHER_KEY }));
  expect(readFileSync(`${path}-wal`).equals(left.log)).toBe(true);
  expect(existsSync(`${path}-shm`)).toBe(false);
});

describe('a log that is not of the file as it is', () => {
  /** The database, and what is beside it, at four moments: its commits are counted, and each state has a log. */
  function history(): { readonly early: Left; readonly late: Left; readonly path: string } {
    const database = newDatabase();
    database.countCommits();
    const states = ['early', 'late'].map((moment) => {
      database.settings.set(`${moment}, in the file`, TEXT);
      database.checkpoint('truncate');
      for (const name of NAMES) database.settings.set(`${moment} ${name}`, TEXT);
      const copy = join(temporaryFolder(), 'data.db');
      for (const end of ['', '-wal']) copyFileSync(`${database.path}${end}`, `${copy}${end}`);
      return take(copy);
    });
    const [early, late] = states;
    if (early === undefined || late === undefined) throw new Error('there are two');
    database.close();
    return { early, late, path: database.path };
  }

  /** Opening says so and leaves both; a new database has what is in the file. */
  async function expectForeign(left: Left): Promise<void> {
    const alone = join(temporaryFolder(), 'data.db');
    writeFileSync(alone, left.file);
    const names = namesIn(alone);
    const path = put(left);
    const error = expectError('CORRUPT', () => openDatabase({ path, key: KEY }));
    expect(error.message).toContain(`${path}-wal was not written on top of ${path} as it is now`);
    expect(take(path)).toEqual(left);
    await rebuild(path);
    expect(namesIn(path)).toEqual(names);
    expect(readFileSync(`${path}.damaged-wal`).equals(left.log)).toBe(true);
  }

  test('is that of a later state: an older copy of the file was put back', async () => {
    const { early, late } = history();
    await expectForeign({ file: early.file, log: late.log });
  });

  test('is that of an earlier state', async () => {
    const { early, late } = history();
    await expectForeign({ file: late.file, log: early.log });
  });

  test('is that of the database that the file is a backup of, made while there was that log', async () => {
    const database = newDatabase();
    database.countCommits();
    for (const name of NAMES) database.settings.set(name, TEXT);
    const backup = join(temporaryFolder(), 'data.db');
    await database.backupTo(backup, { key: KEY });
    database.settings.set('after the backup', TEXT);
    copyFileSync(`${database.path}-wal`, `${backup}-wal`);
    await expectForeign(take(backup));
  });

  test('is that of a later state of which nothing but the places of pages was other', async () => {
    const database = newDatabase();
    database.countCommits();
    for (let number = 0; number < 60; number += 1)
      database.settings.set(`many ${String(number)}`, 'x'.repeat(9_000));
    for (let number = 0; number < 40; number += 1) database.settings.remove(`many ${String(number)}`);
    database.checkpoint('truncate');
    const copy = join(temporaryFolder(), 'data.db');
    copyFileSync(database.path, copy);
    expect(database.reclaimSpace(10_000)).toBeGreaterThan(0);
    database.checkpoint('truncate');
    database.settings.set('later', TEXT);
    copyFileSync(`${database.path}-wal`, `${copy}-wal`);
    await expectForeign(take(copy));
  });

  test('is that of another database under the same key', async () => {
    const { file } = history().early;
    await expectForeign({ file, log: killed().log });
  });

  test('is not one that has a change of the schema, or commits that are not counted', () => {
    const { early, late } = history();
    for (const left of [early, late]) expect(namesIn(put(left)).length).toBeGreaterThan(NAMES.length);
    const database = newDatabase();
    database.close();
    const connection = openKeyedConnection(database.path, KEY);
    connection.exec('CREATE TABLE later (a INTEGER) STRICT; CREATE INDEX later_a ON later (a)');
    const copy = join(temporaryFolder(), 'data.db');
    for (const end of ['', '-wal']) copyFileSync(`${database.path}${end}`, `${copy}${end}`);
    connection.close();
    expect(namesIn(copy)).toEqual([]);
  });
});
