import { describe, expect, test } from 'vitest';
import { fileIdFromBytes, fileIdToBytes, parseFileId } from '../src/index.ts';
import type { FileRow } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, addBlob, fileRow, newDatabase, randomId, reopen } from './support/sample-database.ts';

describe('a file id', () => {
  test('goes to bytes and back', () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => index * 17);
    const id = fileIdFromBytes(bytes);
    expect(id).toBe('00112233445566778899aabbccddeeff');
    expect(new Uint8Array(fileIdToBytes(id))).toEqual(bytes);
    expect(parseFileId(id)).toBe(id);
  });

  test('is nothing else', () => {
    const wrong = [
      '',
      '0'.repeat(31),
      '0'.repeat(33),
      'A'.repeat(32),
      `${'0'.repeat(31)}g`,
      `${'0'.repeat(32)}\n`,
      7,
      null,
    ];
    for (const value of wrong) expectError('INVALID', () => parseFileId(value));
    expectError('INVALID', () => fileIdFromBytes(new Uint8Array(15)));
  });
});

describe('a row', () => {
  test('comes back as it went in, whatever it holds', () => {
    const database = newDatabase();
    const rows: FileRow[] = [
      fileRow({ folder: 'a/b', name: `'"; DROP TABLE files; --`, transferId: 't-1' }),
      fileRow({ name: '\n\u202E😀é', mimeType: 'application/x-ü', sizeBytes: Number.MAX_SAFE_INTEGER }),
      fileRow({
        modifiedAtMs: -8_640_000_000_000_000,
        createdAtMs: 8_640_000_000_000_000,
        condition: 'missing',
      }),
      fileRow({ sizeBytes: 0, placement: 'sealed', sha256: new Uint8Array(32), name: 'x'.repeat(1024) }),
    ];
    for (const row of rows) database.files.insert(row);
    database.close();
    const again = reopen(database.path);
    for (const row of rows) expect(again.files.get(row.id)).toStrictEqual(row);
  });

  test('that cannot be one is refused and not stored', () => {
    const { files } = newDatabase();
    const wrong: Partial<FileRow>[] = [
      { name: '' },
      { name: 'a/b' },
      { name: 'a\0b' },
      { name: '\uD800' },
      { folder: '/a' },
      { folder: 'a/' },
      { folder: 'a//b' },
      { sizeBytes: -1 },
      { sizeBytes: 1.5 },
      { sizeBytes: 2 ** 53 },
      { sha256: new Uint8Array(31) },
      { createdAtMs: Number.NaN },
      { id: 'x' as FileRow['id'] },
    ];
    for (const overrides of wrong) {
      expectError('INVALID', () => {
        files.insert(fileRow(overrides));
      });
    }
    for (const overrides of [
      { placement: 'cloud' as 'blob' },
      { condition: 'fine' as 'ok' },
      { mimeType: '' },
    ]) {
      expectError('CONSTRAINT', () => {
        files.insert(fileRow(overrides));
      });
    }
    expect(files.count()).toBe(0);
  });

  test('with an id that is taken is refused', () => {
    const { files } = newDatabase();
    const row = fileRow();
    files.insert(row);
    expectError('EXISTS', () => {
      files.insert({ ...row, name: 'other' });
    });
    expect(files.get(row.id).name).toBe('note.txt');
  });

  test('may have the name of another', () => {
    const { files } = newDatabase();
    const rows = [fileRow(), fileRow(), fileRow({ folder: 'a' })];
    for (const row of rows) files.insert(row);
    expect(files.findByPath('', 'note.txt')).toHaveLength(2);
    expect(files.findByName('note.txt', 10)).toHaveLength(3);
    expect(files.findByName('note.txt', 2)).toHaveLength(2);
    expect(files.findByName('NOTE.TXT', 10)).toEqual([]);
  });
});

describe('the bytes of a file', () => {
  test('come back as a plain Uint8Array, also when there are none', () => {
    const database = newDatabase();
    for (const size of [0, 1, 4096, 102_399]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251);
      const row = addBlob(database, bytes);
      expect(database.files.getBlob(row.id)).toStrictEqual(bytes);
    }
    expect(database.files.getBlob(randomId())).toBeUndefined();
  });

  test('need a row, and are not replaced', () => {
    const database = newDatabase();
    expectError('CONSTRAINT', () => {
      database.files.insertBlob(randomId(), new Uint8Array(1));
    });
    const { id } = addBlob(database, new Uint8Array([1]));
    expectError('EXISTS', () => {
      database.files.insertBlob(id, new Uint8Array([2]));
    });
    expect(database.files.getBlob(id)).toEqual(new Uint8Array([1]));
  });

  test('go with the row, as the tags do', () => {
    const database = newDatabase();
    const { id } = addBlob(database, new Uint8Array(10));
    database.tags.add(id, 'red');
    expect(database.files.remove(id)).toBe(true);
    expect(database.files.remove(id)).toBe(false);
    expect(database.files.getBlob(id)).toBeUndefined();
    expect(database.tags.all()).toEqual([]);
    expect(database.files.find(id)).toBeUndefined();
    expectError('NOT_FOUND', () => database.files.get(id));
  });
});

test('renaming moves a file for every way of finding it', () => {
  const { files } = newDatabase();
  const row = fileRow();
  files.insert(row);
  files.rename(row.id, 'a/b', 'Brief.txt');
  expect(files.findByPath('', 'note.txt')).toEqual([]);
  const renamed = { ...row, folder: 'a/b', name: 'Brief.txt' };
  expect(files.findByPath('a/b', 'Brief.txt')).toEqual([renamed]);
  expect(files.list({ text: 'bRIEF' }).rows).toEqual([renamed]);
  expect(files.list({ text: 'note' }).rows).toEqual([]);
  expectError('NOT_FOUND', () => {
    files.rename(randomId(), '', 'x');
  });
  expectError('INVALID', () => {
    files.rename(row.id, '', '');
  });
});

test('a condition is set and found again', () => {
  const { files } = newDatabase();
  const row = fileRow();
  files.insert(row);
  files.setCondition(row.id, 'damaged');
  expect(files.list({ condition: 'damaged' }).rows).toEqual([{ ...row, condition: 'damaged' }]);
  expect(files.list({ condition: 'ok' }).rows).toEqual([]);
  expectError('NOT_FOUND', () => {
    files.setCondition(randomId(), 'ok');
  });
  expectError('INVALID', () => {
    files.setCondition(row.id, 'fine' as 'ok');
  });
});

test('the file that was added last is known, also when it was renamed, and in a copy', async () => {
  const database = newDatabase();
  expect(database.files.findNewest()).toBeUndefined();
  const rows = Array.from({ length: 20 }, (_, index) =>
    fileRow({ name: String(index), createdAtMs: 20 - index }),
  );
  for (const row of rows) database.files.insert(row);
  const [before, last] = rows.slice(-2);
  if (before === undefined || last === undefined) throw new Error('there are rows');
  expect(database.files.findNewest()).toEqual(last);
  database.files.rename(last.id, '', '0');
  database.files.remove(rows[0]?.id ?? last.id);
  const path = `${database.path}.copy`;
  await database.backupTo(path, { key: KEY });
  expect(reopen(path).files.findNewest()?.id).toBe(last.id);
  database.files.remove(last.id);
  expect(database.files.findNewest()).toEqual(before);
});

test('files are found by the first digits of their ids', () => {
  const { files } = newDatabase();
  const ids = ['abc0', 'abcf', 'abd0', 'ffff'].map((start) => parseFileId(start.padEnd(32, '0')));
  for (const id of ids) files.insert(fileRow({ id }));
  const found = (prefix: string, limit = 10): string[] =>
    files.findByIdPrefix(prefix, limit).map((row) => row.id);
  expect(found('abc')).toEqual(ids.slice(0, 2));
  expect(found('ab')).toEqual(ids.slice(0, 3));
  expect(found('ab', 2)).toEqual(ids.slice(0, 2));
  expect(found('f')).toEqual(ids.slice(3));
  expect(found(ids[0] ?? '')).toEqual(ids.slice(0, 1));
  expect(found('0')).toEqual([]);
  for (const wrong of ['', 'AB', 'xy', '0'.repeat(33), 'a%']) expectError('INVALID', () => found(wrong));
});

test('count and total size are of all files', () => {
  const { files } = newDatabase();
  expect(files.count()).toBe(0);
  expect(files.totalSizeBytes()).toBe(0);
  files.insert(fileRow({ sizeBytes: 3 }));
  files.insert(fileRow({ sizeBytes: 4, placement: 'sealed' }));
  expect(files.count()).toBe(2);
  expect(files.totalSizeBytes()).toBe(7);
});

test('files may be changed while they are iterated over', () => {
  const database = newDatabase();
  database.transaction(() => {
    for (let number = 0; number < 1200; number += 1) database.files.insert(fileRow());
  });
  let seen = 0;
  for (const { id } of database.files.iterate()) {
    database.files.setCondition(id, 'missing');
    if (seen % 2 === 0) database.files.remove(id);
    seen += 1;
    if (seen % 500 === 0) database.checkpoint('passive');
  }
  expect(seen).toBe(1200);
  expect(database.files.count()).toBe(600);
});
