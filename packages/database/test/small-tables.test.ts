import { describe, expect, test } from 'vitest';
import { expectError } from './support/expect-error.ts';
import { fileRow, newDatabase, randomId } from './support/sample-database.ts';

describe('tags', () => {
  test('are added once, removed, and counted', () => {
    const { files, tags } = newDatabase();
    const [first, second] = [fileRow(), fileRow()];
    for (const row of [first, second]) files.insert(row);
    expect(tags.add(first.id, 'red')).toBe(true);
    expect(tags.add(first.id, 'red')).toBe(false);
    tags.add(first.id, 'Red');
    tags.add(second.id, 'red');
    expect(tags.of(first.id)).toEqual(['Red', 'red']);
    expect(tags.all()).toEqual([
      { tag: 'Red', fileCount: 1 },
      { tag: 'red', fileCount: 2 },
    ]);
    expect(tags.remove(first.id, 'red')).toBe(true);
    expect(tags.remove(first.id, 'red')).toBe(false);
    expect(tags.of(first.id)).toEqual(['Red']);
  });

  test('are asked for many files at once', () => {
    const { files, tags } = newDatabase();
    const rows = Array.from({ length: 3 }, () => fileRow());
    for (const row of rows) files.insert(row);
    const [a, b, c] = rows.map((row) => row.id);
    if (a === undefined || b === undefined || c === undefined) throw new Error('three files');
    for (const tag of ['z', 'a']) tags.add(a, tag);
    tags.add(c, 'c');
    const expected = new Map([
      [a, ['a', 'z']],
      [b, []],
    ]);
    expect(tags.ofMany([a, b])).toEqual(expected);
    expect(tags.ofMany([])).toEqual(new Map());
  });

  test('need a file and a text', () => {
    const { files, tags } = newDatabase();
    expectError('CONSTRAINT', () => tags.add(randomId(), 'red'));
    const row = fileRow();
    files.insert(row);
    for (const wrong of ['', 'x'.repeat(201), 'a\0']) expectError('INVALID', () => tags.add(row.id, wrong));
  });
});

test('tombstones are added once, listed and removed', () => {
  const { tombstones } = newDatabase();
  const id = randomId();
  expect(tombstones.has(id)).toBe(false);
  tombstones.add(id, 5);
  tombstones.add(id, 6);
  expect(tombstones.has(id)).toBe(true);
  expect(tombstones.list()).toEqual([{ id, deletedAtMs: 5 }]);
  expect(tombstones.remove(id)).toBe(true);
  expect(tombstones.remove(id)).toBe(false);
  expect(tombstones.list()).toEqual([]);
});

test('settings are set, replaced and removed', () => {
  const { settings } = newDatabase();
  expect(settings.get('a')).toBeUndefined();
  settings.set('a', '1');
  settings.set('a', '2');
  settings.set('b', '');
  expect(settings.get('a')).toBe('2');
  expect(settings.all()).toEqual(
    new Map([
      ['a', '2'],
      ['b', ''],
    ]),
  );
  expect(settings.remove('a')).toBe(true);
  expect(settings.remove('a')).toBe(false);
  expectError('INVALID', () => {
    settings.set('', 'x');
  });
  expectError('INVALID', () => {
    settings.set('x', '\uDC00');
  });
});
