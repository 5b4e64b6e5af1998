/*
 * Checks that a standard SQLCipher 4 reads our databases with the raw key, and that we read one that it has written to.
 *
 *   node --conditions=@coffer/source packages/database/scripts/check-sqlcipher.ts
 *
 * Opt-in, since it needs the network: see standard-sqlcipher.ts.
 */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, fileIdFromBytes, openDatabase, scanPages } from '../src/index.ts';
import type { FileRow } from '../src/index.ts';
import { installSqlCipher } from './standard-sqlcipher.ts';

function sampleRow(number: number): FileRow {
  return {
    id: fileIdFromBytes(randomBytes(16)),
    folder: 'a/b',
    name: `file ${String(number)}.txt`,
    mimeType: 'text/plain',
    sizeBytes: 50_000,
    sha256: new Uint8Array(32).fill(number),
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1,
    modifiedAtMs: 2,
    transferId: undefined,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'coffer-sqlcipher-'));
try {
  const StandardSqlCipher = installSqlCipher(folder);
  const key = randomBytes(32);
  const path = join(folder, 'data.db');
  const rows = Array.from({ length: 20 }, (_, number) => sampleRow(number));
  {
    using database = createDatabase({ path, key });
    database.transaction(() => {
      for (const row of rows) {
        database.files.insert(row);
        database.files.insertBlob(row.id, new Uint8Array(50_000).fill(7));
      }
    });
    await database.backupTo(join(folder, 'backup.db'), { key });
  }

  for (const name of ['data.db', 'backup.db']) {
    const standard = new StandardSqlCipher(join(folder, name));
    standard.pragma(`key = "x'${key.toString('hex')}'"`, { simple: true });
    const version = String(standard.pragma('cipher_version', { simple: true }));
    const names = standard.prepare('SELECT name FROM files ORDER BY rowid').all();
    deepStrictEqual(
      names,
      rows.map((row) => ({ name: row.name })),
    );
    const total = standard.prepare('SELECT sum(length(bytes)) AS total FROM file_blobs').get();
    deepStrictEqual(total, { total: 1_000_000 });
    strictEqual(standard.pragma('cipher_integrity_check', { simple: true }), undefined);
    strictEqual(standard.pragma('integrity_check', { simple: true }), 'ok');
    console.log(`SQLCipher ${version} reads ${name}: ${String(names.length)} rows, every page authentic`);
    if (name === 'data.db') standard.exec(`INSERT INTO settings VALUES ('written by', 'SQLCipher')`);
    standard.close();
  }

  deepStrictEqual((await scanPages({ path, key })).damagedPages, []);
  using again = openDatabase({ path, key });
  strictEqual(again.settings.get('written by'), 'SQLCipher');
  deepStrictEqual(again.integrityCheck(), []);
  console.log('We read what SQLCipher has written');

  const newKey = randomBytes(32);
  await (await again.stageRekey({ key, newKey })).commit();
  again.close();
  const rekeyed = new StandardSqlCipher(path);
  rekeyed.pragma(`key = "x'${newKey.toString('hex')}'"`, { simple: true });
  strictEqual(rekeyed.pragma('cipher_integrity_check', { simple: true }), undefined);
  strictEqual(rekeyed.pragma('integrity_check', { simple: true }), 'ok');
  deepStrictEqual(rekeyed.prepare('SELECT count(*) AS n FROM files').get(), { n: rows.length });
  rekeyed.close();
  console.log('SQLCipher reads it under a new key: every page authentic');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
