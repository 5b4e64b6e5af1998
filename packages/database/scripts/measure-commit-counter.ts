/*
 * What it costs to raise a counter in every transaction that writes: nothing, a row of `settings`, or the number in the file's header that
 * SQLite calls `application_id`. Durable puts of 4 KB each, interleaved in one process; medians of rounds. What was decided with it is in docs/decisions/0012.
 *
 *   node --conditions=@coffer/source packages/database/scripts/measure-commit-counter.ts [rounds, 40]
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointPolicy } from '../src/checkpoint-policy.ts';
import type { Connection } from '../src/connection.ts';
import { FileTable } from '../src/file-table.ts';
import { createDatabase, fileIdFromBytes } from '../src/index.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { SettingTable } from '../src/setting-table.ts';
import { TagTable } from '../src/tag-table.ts';

const PUTS_PER_ROUND = 50;
const FILES_BEFORE = 10_000;
const rounds = Number(process.argv[2] ?? 40);
const key = randomBytes(32);
const bytes = randomBytes(4096);
const sha256 = new Uint8Array(createHash('sha256').update(bytes).digest());
const folder = mkdtempSync(join(process.env['MEASURE_IN'] ?? tmpdir(), 'coffer-measure-'));

interface Contender {
  readonly name: string;
  readonly path: string;
  readonly connection: Connection;
  readonly files: FileTable;
  readonly count: (commits: number) => void;
  commits: number;
  readonly putUs: number[];
  readonly batchUs: number[];
}

function contender(
  name: string,
  countWith: (connection: Connection) => (commits: number) => void,
): Contender {
  const path = join(folder, `${name.replaceAll(' ', '-')}.db`);
  createDatabase({ path, key }).close();
  const connection = openKeyedConnection(path, key);
  new CheckpointPolicy(connection, () => undefined);
  const files = new FileTable(connection, new TagTable(connection));
  return { name, path, connection, files, count: countWith(connection), commits: 0, putUs: [], batchUs: [] };
}

function put(to: Contender): void {
  const id = fileIdFromBytes(randomBytes(16));
  const number = String(to.files.count());
  to.files.insert({
    id,
    folder: `photos/${String(Math.floor(Number(number) / 100))}`,
    name: `picture ${number}.jpeg`,
    mimeType: 'image/jpeg',
    sizeBytes: bytes.length,
    sha256,
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1_700_000_000_000,
    modifiedAtMs: 1_700_000_000_000,
    transferId: undefined,
  });
  to.files.insertBlob(id, bytes);
}

function transaction(to: Contender, puts: number): number {
  const start = process.hrtime.bigint();
  to.connection.transaction(() => {
    for (let n = 0; n < puts; n += 1) put(to);
    to.commits += 1;
    to.count(to.commits);
  });
  return Number(process.hrtime.bigint() - start) / 1000 / puts;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const contenders = [
  contender('no counter', () => () => undefined),
  contender('a row of settings', (connection) => {
    const settings = new SettingTable(connection);
    return (commits) => {
      settings.set('commits', String(commits));
    };
  }),
  contender('application_id', (connection) => (commits) => {
    connection.exec(`PRAGMA application_id = ${String(commits)}`);
  }),
];
for (const each of contenders) transaction(each, FILES_BEFORE);
for (let round = 0; round < rounds; round += 1) {
  // Another one begins each time.
  for (const each of [...contenders.slice(round % 3), ...contenders.slice(0, round % 3)]) {
    const times = Array.from({ length: PUTS_PER_ROUND }, () => transaction(each, 1));
    each.putUs.push(median(times));
    each.batchUs.push(transaction(each, 300));
  }
}
const [first] = contenders;
for (const { name, putUs, batchUs } of contenders) {
  const [put_, batch] = [median(putUs), median(batchUs)];
  const more = (value: number, base: number): string => `${((value / base - 1) * 100).toFixed(1)} %`;
  console.log(
    `${name.padEnd(18)} put ${put_.toFixed(1)} us (${more(put_, median(first?.putUs ?? []))}), in a batch of 300 ${batch.toFixed(1)} us (${more(batch, median(first?.batchUs ?? []))})`,
  );
}
for (const { connection } of contenders) connection.close();
rmSync(folder, { recursive: true, force: true });
