/*
 * Writes test/fixtures/schema-vN.db, a database of the newest schema with a row of each kind, and its key and expected content as JSON.
 * Run once when a schema is released, then never again: the files are what released versions wrote.
 *
 *   node --conditions=@coffer/source packages/database/scripts/make-fixture.ts
 */
import { createHash } from 'node:crypto';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase, fileIdFromBytes } from '../src/index.ts';
import type { FileRow } from '../src/index.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';

const version = MIGRATIONS.at(-1)?.version ?? 0;
const name = join(import.meta.dirname, '..', 'test', 'fixtures', `schema-v${String(version)}`);
if (existsSync(`${name}.db`)) throw new Error(`${name}.db was made already: a fixture is never made anew`);

const key = createHash('sha256')
  .update(`coffer fixture ${String(version)}`)
  .digest();
const bytes = Buffer.from('The bytes of a small file.');
const id = (first: number): FileRow['id'] => fileIdFromBytes(new Uint8Array(16).fill(first));
const small: FileRow = {
  id: id(1),
  folder: 'letters/2026',
  name: 'Größe 😀.txt',
  mimeType: 'text/plain',
  sizeBytes: bytes.length,
  sha256: new Uint8Array(createHash('sha256').update(bytes).digest()),
  placement: 'blob',
  condition: 'ok',
  createdAtMs: 1_767_225_600_000,
  modifiedAtMs: -1000,
  transferId: undefined,
};
const large: FileRow = {
  ...small,
  id: id(2),
  folder: '',
  name: 'film.mp4',
  mimeType: 'video/mp4',
  sizeBytes: 5_000_000_000,
  placement: 'sealed',
  condition: 'missing',
  transferId: 'transfer-1',
};
const database = createDatabase({ path: `${name}.tmp`, key });
database.transaction(() => {
  for (const row of [small, large]) database.files.insert(row);
  database.files.insertBlob(small.id, bytes);
  database.tags.add(small.id, 'Ärger');
  database.tombstones.add(id(3), 1_767_225_600_001);
  database.settings.set('fixture', 'yes');
  const transfer = {
    name: 'film.mp4',
    mimeType: 'video/mp4',
    sizeBytes: 5_000_000_000,
    chunkSizeBytes: 262_144,
  };
  database.transfers.create(
    { ...transfer, id: 'transfer-1', direction: 'receive', peer: 'peer', fileId: large.id },
    1000,
  );
  database.transfers.activate('transfer-1', 1001);
  database.transfers.recordProgress('transfer-1', 262_144, 1002);
  database.transfers.fail('transfer-1', { code: 'LOST', message: 'the peer is gone', retryable: true }, 1003);
});
const hex = (row: FileRow): unknown => ({ ...row, sha256: Buffer.from(row.sha256).toString('hex') });
const content = {
  version,
  key: key.toString('hex'),
  files: [small, large].map(hex),
  blob: bytes.toString('utf8'),
  tags: database.tags.all(),
  tombstones: database.tombstones.list(),
  settings: [...database.settings.all()],
  transfers: database.transfers.list(),
};
database.close();
renameSync(`${name}.tmp`, `${name}.db`);
writeFileSync(`${name}.json`, `${JSON.stringify(content, undefined, 2)}\n`);
