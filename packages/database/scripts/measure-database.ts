/*
 * Measures durable puts and batches against a bare insert loop over the same driver and pragmas, interleaved in one process, then
 * listing and searching. Medians; figures in microseconds and milliseconds. What was decided with it is in docs/decisions/.
 *
 *   node --conditions=@coffer/source packages/database/scripts/measure-database.ts [files already there, 100000] [rounds, 40]
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, fileIdFromBytes, openDatabase } from '../src/index.ts';
import type { CofferDatabase, FileQuery, FileRow } from '../src/index.ts';
import { CheckpointPolicy } from '../src/checkpoint-policy.ts';
import type { Connection } from '../src/connection.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { writeFileSync } from 'node:fs';

const PUTS_PER_ROUND = 50;
const BATCH_FILES = 300;
const key = randomBytes(32);
const bytes = randomBytes(4096);
const sha256 = new Uint8Array(createHash('sha256').update(bytes).digest());
const presentFiles = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 40);
const folder = mkdtempSync(join(tmpdir(), 'coffer-measure-'));

let made = 0;
function nextRow(): FileRow {
  made += 1;
  return {
    id: fileIdFromBytes(randomBytes(16)),
    folder: `photos/year ${String(1990 + (Math.floor(made / 1000) % 40))}/event ${String(Math.floor(made / 100) % 10)}`,
    name: `picture ${String(made)}.jpeg`,
    mimeType: 'image/jpeg',
    sizeBytes: (made * 7919) % 1_000_003,
    sha256,
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1_700_000_000_000 + made * 10,
    modifiedAtMs: 1_600_000_000_000 + ((made * 48_271) % 1_000_000_007),
    transferId: undefined,
  };
}

interface Contender {
  readonly name: string;
  readonly put: (row: FileRow) => void;
  readonly transaction: (work: () => void) => void;
  readonly putUs: number[];
  readonly batchUs: number[];
}

function bareLoop(name: string, idColumn: string, hasPathIndex = false): Contender {
  const path = join(folder, `${name.replaceAll(' ', '-')}.db`);
  writeFileSync(path, '');
  const connection: Connection = openKeyedConnection(path, key);
  connection.exec(`CREATE TABLE files (${idColumn}, folder TEXT, name TEXT, mime_type TEXT, size_bytes INTEGER, sha256 BLOB,
    placement TEXT, condition TEXT, created_at_ms INTEGER, modified_at_ms INTEGER, bytes BLOB)`);
  if (hasPathIndex) connection.exec('CREATE INDEX files_by_path ON files (folder, name)');
  new CheckpointPolicy(connection, () => undefined);
  const put = (row: FileRow): void => {
    connection.run(
      'INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      Buffer.from(row.id, 'hex'),
      row.folder,
      row.name,
      row.mimeType,
      row.sizeBytes,
      row.sha256,
      row.placement,
      row.condition,
      row.createdAtMs,
      row.modifiedAtMs,
      bytes,
    );
  };
  return {
    name,
    put,
    transaction: (work) => {
      connection.transaction(work);
    },
    putUs: [],
    batchUs: [],
  };
}

function ours(database: CofferDatabase): Contender {
  const put = (row: FileRow): void => {
    database.files.insert(row);
    database.files.insertBlob(row.id, bytes);
  };
  return {
    name: 'database',
    put,
    transaction: (work) => {
      database.transaction(work);
    },
    putUs: [],
    batchUs: [],
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function timeUs(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1000;
}

const path = join(folder, 'data.db');
let database = createDatabase({ path, key });
const contenders = [
  bareLoop('bare', 'id BLOB'),
  bareLoop('bare with key', 'id BLOB PRIMARY KEY'),
  bareLoop('bare, key, path', 'id BLOB PRIMARY KEY', true),
  ours(database),
];
for (const { put, transaction } of contenders) {
  made = 0;
  for (let done = 0; done < presentFiles; done += 500) {
    transaction(() => {
      for (let index = 0; index < 500; index += 1) put(nextRow());
    });
  }
}
for (let round = 0; round < rounds; round += 1) {
  for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
    const us = timeUs(() => {
      for (let index = 0; index < PUTS_PER_ROUND; index += 1) {
        const row = nextRow();
        one.transaction(() => {
          one.put(row);
        });
      }
    });
    one.putUs.push(us / PUTS_PER_ROUND);
  }
}
for (let round = 0; round < rounds; round += 1) {
  for (const one of round % 2 === 0 ? contenders : contenders.toReversed()) {
    const us = timeUs(() => {
      one.transaction(() => {
        for (let index = 0; index < BATCH_FILES; index += 1) one.put(nextRow());
      });
    });
    one.batchUs.push(us / BATCH_FILES);
  }
}
const mine = contenders.at(-1);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
for (const one of contenders) {
  const ratio = (of: (one: Contender) => number): string =>
    (of(one) / (mine === undefined ? NaN : of(mine))).toFixed(2);
  console.log(
    `${one.name.padEnd(16)} put ${median(one.putUs).toFixed(0)} us, mean ${mean(one.putUs).toFixed(0)} (ratio ${ratio((x) => median(x.putUs))}, ${ratio((x) => mean(x.putUs))}); ` +
      `in a batch of ${String(BATCH_FILES)} ${median(one.batchUs).toFixed(0)} us, mean ${mean(one.batchUs).toFixed(0)} (ratio ${ratio((x) => median(x.batchUs))}, ${ratio((x) => mean(x.batchUs))})`,
  );
}

database.transaction(() => {
  let number = 0;
  for (const { id } of database.files.iterate()) {
    number += 1;
    if (number % 3 === 0) database.tags.add(id, 'often');
    if (number % 30_000 === 7) database.tags.add(id, 'rare');
  }
});
const count = database.files.count();
database.close();
console.log(`${String(count)} files, ${(statSync(path).size / 2 ** 20).toFixed(0)} MiB`);

const queries: Record<string, FileQuery> = {
  'by path': {},
  'by name': { sort: 'name' },
  'by size': { sort: 'size' },
  'by creation, newest first': { sort: 'created', descending: true },
  'text in every name': { text: 'picture' },
  'text in few names': { text: '99 999', sort: 'path' },
  'text in one name': { text: ' 77777.' },
  'text in no name': { text: 'nowhere' },
  'text of a rare tag': { text: 'rar' },
  'text of a common tag': { text: 'ofte' },
  'rare tag': { tag: 'rare' },
  'common tag': { tag: 'often' },
  'one folder': { folder: 'photos/year 1999/event 9' },
  'large files': { minSizeBytes: 999_900 },
};
for (const [name, query] of Object.entries(queries)) {
  const opening = timeUs(() => {
    database = openDatabase({ path, key });
  });
  const cold = timeUs(() => database.files.list(query));
  const warm = median(Array.from({ length: 7 }, () => timeUs(() => database.files.list(query))));
  let found = 0;
  const whole = timeUs(() => {
    let cursor: string | undefined;
    do {
      const page = database.files.list({
        ...query,
        limit: 1000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      found += page.rows.length;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  });
  const ms = (us: number): string => (us / 1000).toFixed(1).padStart(6);
  console.log(
    `${name.padEnd(26)} open ${ms(opening)} cold ${ms(cold)} warm ${ms(warm)} ms, whole ${ms(whole)} ms for ${String(found)}`,
  );
  database.close();
}
rmSync(folder, { recursive: true });
process.exit();
