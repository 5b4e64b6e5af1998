import fc from 'fast-check';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from '../src/index.ts';
import type { CofferDatabase, FileId, FileQuery, FileRow } from '../src/index.ts';
import { foldText } from '../src/fold-text.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, fileRow } from './support/sample-database.ts';

// Real processes and files, on machines that do other things as well.

/*
 * Few values for each column, so that ties, empty results and full ones all are common; characters that sort around '/', and ones
 * that have a meaning in LIKE and GLOB.
 */
const FOLDERS = ['', 'a', 'a!', 'a/b', 'a/b/c', 'a0', 'ab', 'ä', 'z/😀'];
const NAMES = [
  'x.txt',
  'X.TXT',
  'a%b',
  'a_b',
  'a*b',
  'straße',
  'STRASSE',
  'ΟΔΟΣ',
  'οδος.txt',
  '😀',
  '\uFFFD',
  '-',
];
const TYPES = ['image/png', 'image/jpeg', 'imagery/x', 'text/plain'];
const TAGS = ['Red', 'red', 'bl%ue', 'x', 'Ärger'];
const TEXTS = ['x', 'X', '%', '_', '*', 'SS', 'σ', 'red', 'ÄR', '.t', 'nothing at all', '😀'];

let folder: string;
let database: CofferDatabase;
const rows: FileRow[] = [];
const tagsOf = new Map<FileId, string[]>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-database-'));
  database = createDatabase({ path: join(folder, 'data.db'), key: KEY });
  const pick = <T>(values: readonly T[], number: number): T => values[number % values.length] as T;
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 2_147_483_647);
  database.transaction(() => {
    for (let number = 0; number < 400; number += 1) {
      const row = fileRow({
        folder: pick(FOLDERS, random()),
        name: pick(NAMES, random()),
        mimeType: pick(TYPES, random()),
        sizeBytes: random() % 5,
        placement: random() % 3 === 0 ? 'sealed' : 'blob',
        condition: pick(['ok', 'ok', 'ok', 'missing', 'damaged'], random()),
        createdAtMs: (random() % 5) - 2,
        modifiedAtMs: random() % 3,
      });
      rows.push(row);
      database.files.insert(row);
      const tags = TAGS.filter(() => random() % 4 === 0);
      for (const tag of tags) database.tags.add(row.id, tag);
      tagsOf.set(row.id, tags);
    }
  });
});

afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function matches(row: FileRow, query: FileQuery): boolean {
  const tags = tagsOf.get(row.id) ?? [];
  const { folder: inFolder, text, mimeType } = query;
  const below =
    query.recursive === true && (inFolder === '' || row.folder.startsWith(`${String(inFolder)}/`));
  return (
    (inFolder === undefined || row.folder === inFolder || below) &&
    (query.tag === undefined || tags.includes(query.tag)) &&
    (mimeType === undefined ||
      (mimeType.endsWith('/*')
        ? row.mimeType.startsWith(mimeType.slice(0, -1))
        : row.mimeType === mimeType)) &&
    (text === undefined ||
      [row.name, ...tags].some((candidate) => foldText(candidate).includes(foldText(text)))) &&
    row.createdAtMs >= (query.createdSinceMs ?? -Infinity) &&
    row.createdAtMs <= (query.createdUntilMs ?? Infinity) &&
    row.sizeBytes >= (query.minSizeBytes ?? -Infinity) &&
    row.sizeBytes <= (query.maxSizeBytes ?? Infinity) &&
    (query.placement === undefined || row.placement === query.placement) &&
    (query.condition === undefined || row.condition === query.condition)
  );
}

type Key = readonly (string | number)[];

const KEYS: Record<NonNullable<FileQuery['sort']>, (row: FileRow) => Key> = {
  path: (row) => [row.folder, row.name, row.id],
  name: (row) => [row.name, row.id],
  size: (row) => [row.sizeBytes, row.id],
  created: (row) => [row.createdAtMs, row.id],
  modified: (row) => [row.modifiedAtMs, row.id],
};

/** Texts by code points, which is the order of their UTF-8 bytes. */
function compareKeys(a: Key, b: Key): number {
  for (const [index, value] of a.entries()) {
    const other = b[index];
    const difference =
      typeof value === 'number'
        ? value - Number(other)
        : Buffer.compare(Buffer.from(value), Buffer.from(String(other)));
    if (difference !== 0) return difference;
  }
  return 0;
}

function expected(query: FileQuery): FileId[] {
  const key = KEYS[query.sort ?? 'path'];
  const sorted = rows.filter((row) => matches(row, query)).sort((a, b) => compareKeys(key(a), key(b)));
  return (query.descending === true ? sorted.reverse() : sorted).map((row) => row.id);
}

function listAll(query: FileQuery): FileId[] {
  const ids: FileId[] = [];
  let cursor: string | undefined;
  do {
    const page = database.files.list(cursor === undefined ? query : { ...query, cursor });
    expect(page.rows.length).toBeLessThanOrEqual(query.limit ?? 1000);
    ids.push(...page.rows.map((row) => row.id));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return ids;
}

const anyQuery: fc.Arbitrary<FileQuery> = fc.record(
  {
    folder: fc.constantFrom(...FOLDERS, 'b', 'a/b/c/d'),
    recursive: fc.boolean(),
    tag: fc.constantFrom(...TAGS, 'none'),
    mimeType: fc.constantFrom(...TYPES, 'image/*', 'text/*', 'none/*'),
    text: fc.constantFrom(...TEXTS),
    createdSinceMs: fc.integer({ min: -3, max: 3 }),
    createdUntilMs: fc.integer({ min: -3, max: 3 }),
    minSizeBytes: fc.integer({ min: 0, max: 5 }),
    maxSizeBytes: fc.integer({ min: 0, max: 5 }),
    placement: fc.constantFrom('blob', 'sealed'),
    condition: fc.constantFrom('ok', 'missing', 'damaged'),
    sort: fc.constantFrom('path', 'name', 'size', 'created', 'modified'),
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 500 }),
  },
  { requiredKeys: [] },
);

describe('paging through a listing', () => {
  test('yields exactly the sorted, filtered set, for any filter, order and page size', () => {
    fc.assert(
      fc.property(anyQuery, (query) => {
        expect(listAll(query)).toEqual(expected(query));
      }),
      { numRuns: 500 },
    );
  });

  test('does so for each sort without a filter, one row at a time', () => {
    for (const sort of ['path', 'name', 'size', 'created', 'modified'] as const) {
      for (const descending of [false, true]) {
        const query = { sort, descending, limit: 1 };
        expect(listAll(query)).toEqual(expected(query));
      }
    }
  });

  test('goes on in the right place when the row that the cursor names has gone', () => {
    const page = database.files.list({ limit: 10 });
    const last = page.rows.at(-1);
    if (last === undefined || page.nextCursor === undefined) throw new Error('there is a second page');
    const { nextCursor } = page;
    let next: FileRow[] = [];
    expect(() =>
      database.transaction(() => {
        database.files.remove(last.id);
        next = database.files.list({ limit: 10, cursor: nextCursor }).rows;
        throw new Error('undo');
      }),
    ).toThrow('undo');
    expect(next.map((row) => row.id)).toEqual(expected({}).slice(10, 20));
  });

  test('ends without a cursor when the last page is full', () => {
    expect(database.files.list({ limit: 400 }).nextCursor).toBeUndefined();
    expect(database.files.list({ limit: 399 }).nextCursor).toBeDefined();
  });
});

describe('a cursor', () => {
  test('of another order is refused', () => {
    const { nextCursor } = database.files.list({ limit: 1, sort: 'size' });
    if (nextCursor === undefined) throw new Error('there is a second page');
    expectError('INVALID', () => database.files.list({ sort: 'created', cursor: nextCursor }));
    expectError('INVALID', () => database.files.list({ sort: 'size', descending: true, cursor: nextCursor }));
  });

  test('that is not one of ours is refused, whatever it is', () => {
    const ours = ['path', false, 'a', 'b', '0'.repeat(32)];
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(database.files.list({ cursor: encode(ours) }).rows.length).toBeGreaterThan(0);
    const wrong = [
      ours.slice(0, 4),
      [...ours, 'x'],
      ['path', false, 1, 'b', '0'.repeat(32)],
      ['path', false, 'a', 'b', 'id'],
      {},
      null,
    ];
    for (const value of wrong) expectError('INVALID', () => database.files.list({ cursor: encode(value) }));
    for (const cursor of ['', '=', 'a b', 'AAAA', 'x'.repeat(70_000)]) {
      expectError('INVALID', () => database.files.list({ cursor }));
    }
    fc.assert(
      fc.property(fc.base64String(), (cursor) => {
        expectError('INVALID', () => database.files.list({ cursor }));
      }),
      { numRuns: 50 },
    );
  });
});

test('a query that cannot be one is refused', () => {
  const wrong: FileQuery[] = [
    { limit: 0 },
    { limit: 10_001 },
    { limit: 1.5 },
    { sort: 'colour' as 'name' },
    { placement: 'cloud' as 'blob' },
    { condition: 'fine' as 'ok' },
    { text: 'x'.repeat(1001) },
    { text: 'a\0b' },
    { folder: 'a//b' },
    { minSizeBytes: Number.NaN },
  ];
  for (const query of wrong) expectError('INVALID', () => database.files.list(query));
});

test('folders are summed up with everything below them', () => {
  for (const parent of ['', 'a', 'a/b', 'z', 'none']) {
    const prefix = parent === '' ? '' : `${parent}/`;
    const below = rows.filter((row) => row.folder !== parent && row.folder.startsWith(prefix));
    const children = new Set(
      below.map((row) => prefix + String(row.folder.slice(prefix.length).split('/')[0])),
    );
    const sorted = [...children].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const summaries = sorted.map((child) => {
      const inside = below.filter((row) => row.folder === child || row.folder.startsWith(`${child}/`));
      return {
        folder: child,
        fileCount: inside.length,
        sizeBytes: inside.reduce((sum, row) => sum + row.sizeBytes, 0),
      };
    });
    expect(database.files.listFolders(parent)).toEqual(summaries);
  }
});

test('a folder is there when a file is in it or below it', () => {
  for (const there of ['', 'a', 'a/b', 'a/b/c', 'z', 'z/😀'])
    expect(database.files.hasFolder(there)).toBe(true);
  for (const not of ['b', 'a/', 'a/b/c/d', 'A', 'z/']) expect(database.files.hasFolder(not)).toBe(false);
});

test('iterating meets every file once, filtered, in the order in which they were added', () => {
  expect([...database.files.iterate()].map((row) => row.id)).toEqual(rows.map((row) => row.id));
  const sealed = rows
    .filter((row) => row.placement === 'sealed' && row.condition === 'ok')
    .map((row) => row.id);
  const found = [...database.files.iterate({ placement: 'sealed', condition: 'ok' })].map((row) => row.id);
  expect(found).toEqual(sealed);
});
