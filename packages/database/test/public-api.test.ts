import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as api from '../src/index.ts';

test('the package exports exactly these values', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DatabaseError",
      "FILE_ID_SIZE_BYTES",
      "MAX_TAG_LENGTH",
      "acquireOwnerLock",
      "acquireReaderLock",
      "checkRuntime",
      "copyForReading",
      "createDatabase",
      "discardUnfinishedCopies",
      "fileIdFromBytes",
      "fileIdToBytes",
      "findLockHolder",
      "hasPagesUnder",
      "inspectDatabaseFile",
      "inspectPages",
      "keepsDamaged",
      "needlesOfBlob",
      "openDatabase",
      "openForeignDatabase",
      "parseFileId",
      "putRebuiltInPlace",
      "readSaltCopy",
      "rebuildDatabase",
      "scanPages",
      "scanPagesInChild",
      "writeSaltCopy",
    ]
  `);
});

test('only one source file knows the driver, and it imports it when a database is opened', () => {
  const folder = join(import.meta.dirname, '..', 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const knowing = files.filter((name) => readFileSync(join(folder, name), 'utf8').includes('better-sqlite3'));
  expect(knowing).toEqual(['driver.ts']);
  expect(readFileSync(join(folder, 'driver.ts'), 'utf8')).not.toMatch(/^import .*better-sqlite3/m);
});
