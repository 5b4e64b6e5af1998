import { SecretKey } from '@coffer/crypto';
import { openDatabase } from '@coffer/database';
import type { FileRow } from '@coffer/database';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KEY, makeFolder, open, randomContent } from './support.ts';

test.each([
  ['HASH_MISMATCH', 300_000],
  ['BLOB_MISSING', 1_000],
])('a row that is not that of its content is found: %s', async (damage, sizeBytes) => {
  const directory = makeFolder();
  const first = await open(directory);
  const row = await first.storage.saveFile(randomContent(sizeBytes), { name: 'f' });
  await first.close();
  putInPlaceOf(directory, row, { ...row, sha256: new Uint8Array(32).fill(1) });
  const { storage } = await open(directory);
  await expect(storage.getFile(row.id)).rejects.toMatchObject({ code: 'DAMAGED', damage });
  const codes = [];
  for await (const { code } of storage.check()) codes.push(code);
  expect(codes).toEqual([damage]);
});

/** As somebody with the key could do it. A BLOB goes with its row. */
function putInPlaceOf(directory: string, old: FileRow, row: FileRow): void {
  const root = SecretKey.fromBytes(KEY);
  const key = root.derive('coffer/database/v1').exportBytes();
  const database = openDatabase({ path: join(directory, 'data.db'), key });
  database.files.remove(old.id);
  database.files.insert(row);
  database.close();
}
