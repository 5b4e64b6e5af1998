import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KEY, addBlob, newDatabase } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const MARKER = 'PlainMarker4711';

/** All bytes of a folder's files. Copied by another process: closing an open database's file here would drop its lock. */
function bytesOf(folder: string): Buffer {
  const copy = temporaryFolder();
  expect(spawnSync('cp', ['-r', `${folder}/.`, copy]).status).toBe(0);
  return Buffer.concat(readdirSync(copy).map((name) => readFileSync(join(copy, name))));
}

function expectNothingReadable(folder: string): void {
  const bytes = bytesOf(folder);
  for (const text of [MARKER, 'SQLite format 3', 'CREATE TABLE', 'folded_name']) {
    expect(bytes.includes(text), text).toBe(false);
    expect(bytes.includes(Buffer.from(text, 'utf16le')), text).toBe(false);
  }
}

test('no file shows anything that was written: names, folders, tags, settings, bytes, schema', async () => {
  const database = newDatabase();
  const folder = join(database.path, '..');
  const text = `${MARKER} `.repeat(1000);
  for (let number = 0; number < 100; number += 1) {
    const row = addBlob(database, Buffer.from(text), {
      name: `${MARKER}${String(number)}`,
      folder: `a/${MARKER}`,
    });
    database.tags.add(row.id, MARKER);
    database.settings.set(`${MARKER}${String(number)}`, text);
  }
  expect(readdirSync(folder)).toEqual(['data.db', 'data.db-wal', 'data.db.reserve']);
  expectNothingReadable(folder);

  // Big sorts and transactions, which SQLite could put into temporary files.
  expect(database.files.list({ sort: 'modified', text: MARKER.toLowerCase() }).rows).toHaveLength(100);
  database.checkpoint('passive');
  for (const { id } of database.files.iterate()) database.files.remove(id);
  await database.backupTo(join(folder, 'backup.db'), { key: KEY });
  expectNothingReadable(folder);
  database.close();
  expectNothingReadable(folder);
});
