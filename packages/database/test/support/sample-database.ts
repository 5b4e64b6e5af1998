import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createDatabase, fileIdFromBytes, openDatabase } from '../../src/index.ts';
import type { CofferDatabase, FileId, FileRow } from '../../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const KEY: Uint8Array = Uint8Array.from({ length: 32 }, (_, index) => index);
export const OTHER_KEY: Uint8Array = new Uint8Array(32).fill(9);

/** A new database at `path`, or in a folder of its own; closed after the test. */
export function newDatabase(path: string = join(temporaryFolder(), 'data.db')): CofferDatabase {
  const database = createDatabase({ path, key: KEY });
  onTestFinished(() => {
    database.close();
  });
  return database;
}

export function reopen(path: string, key: Uint8Array = KEY): CofferDatabase {
  const database = openDatabase({ path, key });
  onTestFinished(() => {
    database.close();
  });
  return database;
}

export function randomId(): FileId {
  return fileIdFromBytes(randomBytes(16));
}

export function fileRow(overrides: Partial<FileRow> = {}): FileRow {
  return {
    id: randomId(),
    folder: '',
    name: 'note.txt',
    mimeType: 'text/plain',
    sizeBytes: 5,
    sha256: new Uint8Array(32).fill(7),
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1_700_000_000_000,
    modifiedAtMs: 1_600_000_000_000,
    transferId: undefined,
    ...overrides,
  };
}

/** A file with its bytes, in one transaction. */
export function addBlob(
  database: CofferDatabase,
  bytes: Uint8Array,
  overrides: Partial<FileRow> = {},
): FileRow {
  const row = fileRow({ sizeBytes: bytes.length, ...overrides });
  database.transaction(() => {
    database.files.insert(row);
    database.files.insertBlob(row.id, bytes);
  });
  return row;
}
