import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createDatabase, fileIdFromBytes, openDatabase } from '../../packages/database/src/index.ts';
import type { CofferDatabase, FileRow } from '../../packages/database/src/index.ts';
import { runTask } from '../coffer/task.ts';
import type { TaskResult } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import { settleDisk } from '../harness/durable.ts';
import { toRow } from '../harness/interleave.ts';
import type { Findings, Row } from '../harness/report.ts';
import { makeSparseFile } from '../harness/sample-data.ts';
import { median, round } from '../harness/statistics.ts';
import { timeEach } from '../harness/timing.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { GIB, MIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import { showSize } from './range.ts';

const SIZES = [1, 4, 16, 64, 256, 1024, 4096, 10_240].map((mebibytes) => mebibytes * MIB);
const ROW_COUNTS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000];
/** Beyond these only with `--long`. */
const SHORT_SIZE_BYTES = GIB;
const SHORT_ROWS = 100_000;
const BATCH_ROWS = 10_000;
const REPEATS = 15;

/** How time and memory grow: with the size of a file, and with the number of rows. */
export async function run({ workspace, divisor, rounds, long }: BenchmarkOptions): Promise<Findings> {
  const sizes = SIZES.filter((size) => long || size <= SHORT_SIZE_BYTES).map((size) => size / divisor);
  const counts = ROW_COUNTS.filter((count) => long || count <= SHORT_ROWS).filter(
    (count) => count <= 1_000_000 / divisor,
  );
  workspace.requireSpace(2.5 * Math.max(...sizes));
  const added: Row[] = [];
  const gotten: Row[] = [];
  for (const sizeBytes of sizes) {
    const repeats = sizeBytes > GIB ? 1 : Math.min(3, rounds);
    const { adds, gets } = await measureSize(workspace, sizeBytes, repeats);
    const about = 'in an open vault, in a new process; memory with the loader of TypeScript';
    const shared = { name: showSize(sizeBytes), kind: 'coffer', about, sizeBytes } as const;
    added.push({ ...toRow(shared, adds), group: 'Adding a file' });
    gotten.push({ ...toRow(shared, gets), group: 'Getting a file' });
  }
  const rows: Row[] = [];
  for (const count of counts) rows.push(await measureRows(workspace, count));
  return {
    title: 'Growth',
    rows: [...added, ...gotten, ...rows],
    verdicts: [],
    skipped: long ? [] : ['more than 1 GiB and 100,000 rows: only with --long'],
    disturbances: [],
    versions: {},
  };
}

async function measureSize(
  workspace: Workspace,
  sizeBytes: number,
  repeats: number,
): Promise<{ adds: TaskResult[]; gets: TaskResult[] }> {
  const source = workspace.file('source.bin');
  makeSparseFile(source, sizeBytes);
  const adds: TaskResult[] = [];
  const gets: TaskResult[] = [];
  for (let index = 0; index < repeats; index += 1) {
    process.stderr.write(`  ${showSize(sizeBytes)}\n`);
    const vault = await makeVault(workspace);
    const destination = workspace.folder('restored');
    settleDisk();
    adds.push(await runTask({ kind: 'add', ...vault, paths: [source] }));
    settleDisk();
    gets.push(await runTask({ kind: 'get', ...vault, items: ['source.bin'], destination }));
    remove(vault.directory);
    remove(destination);
  }
  remove(source);
  return { adds, gets };
}

async function measureRows(workspace: Workspace, count: number): Promise<Row> {
  process.stderr.write(`  ${String(count)} rows\n`);
  const path = join(workspace.folder('rows'), 'data.db');
  const key = randomBytes(32);
  const insertStart = performance.now();
  {
    using database = createDatabase({ path, key });
    for (let done = 0; done < count; done += BATCH_ROWS) {
      database.transaction(() => {
        for (let index = done; index < Math.min(count, done + BATCH_ROWS); index += 1) {
          database.files.insert(sampleRow(index));
        }
      });
    }
  }
  const insertMs = performance.now() - insertStart;
  const openMs = await timeEach(REPEATS, () => {
    openDatabase({ path, key }).close();
  });
  using database = openDatabase({ path, key });
  const timed = async (work: (database: CofferDatabase) => unknown, repeats = REPEATS): Promise<number> =>
    round(median(await timeEach(repeats, () => work(database))));
  const figures = {
    rows: count,
    insertMs: round(insertMs),
    openMs: round(median(openMs)),
    firstPageMs: await timed(({ files }) => files.list({ sort: 'path', limit: 100 })),
    searchMs: await timed(({ files }) => files.list({ text: 'nothing of that name', limit: 100 })),
    wholeMs: await timed(listAll, 3),
  };
  remove(path);
  return {
    name: `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`,
    kind: 'coffer',
    about:
      '@coffer/database: inserting in transactions of 10,000, opening, first page, search without a hit, whole listing',
    group: 'Rows',
    figures,
  };
}

function listAll({ files }: CofferDatabase): void {
  let cursor: string | undefined;
  do {
    const page = files.list({ sort: 'path', limit: 10_000, ...(cursor === undefined ? {} : { cursor }) });
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}

function sampleRow(index: number): FileRow {
  return {
    id: fileIdFromBytes(randomBytes(16)),
    folder: `album ${String(Math.floor(index / 1000)).padStart(4, '0')}`,
    name: `picture ${String(index).padStart(7, '0')}.jpeg`,
    mimeType: 'image/jpeg',
    sizeBytes: (index * 7919) % 10_000_019,
    sha256: new Uint8Array(32).fill(index % 256),
    placement: 'sealed',
    condition: 'ok',
    createdAtMs: 1_700_000_000_000 + index,
    modifiedAtMs: 1_600_000_000_000 + index,
    transferId: undefined,
  };
}
