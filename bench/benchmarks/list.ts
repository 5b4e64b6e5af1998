import { openVault } from '../../packages/vault/src/index.ts';
import type { FileQuery, Vault } from '../../packages/vault/src/index.ts';
import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import type { BenchVault } from '../coffer/vaults.ts';
import { makeVault, secretOf } from '../coffer/vaults.ts';
import { interleave, toRow } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import { runProcess } from '../harness/measured-process.ts';
import type { Findings, Row, Verdict } from '../harness/report.ts';
import { makeManyFiles } from '../harness/sample-data.ts';
import { round } from '../harness/statistics.ts';
import { timeEach, timedRow } from '../harness/timing.ts';
import { findVersion } from '../peers/commands.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const FILES = 100_000;
const FILE_SIZE_BYTES = 64;
const OPENINGS = 9;
const REPEATS = 30;
const WHOLE_REPEATS = 9;
const PAGE_FILES = 10_000;

/** Budgets of the library, by the name of the row. */
const LIMITS_MS: Readonly<Record<string, number>> = {
  'first page, by path': 20,
  'first page, by size': 20,
  'first page of a search, few hits': 20,
  'first page of a search, many hits': 20,
  'first page of a search, no hit': 20,
  'whole listing': 300,
};

/** Listing, searching and opening a vault of 100,000 files. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const count = FILES / divisor;
  const source = workspace.folder('source');
  process.stderr.write(`  making ${String(count)} files\n`);
  makeManyFiles(source, count, FILE_SIZE_BYTES);
  const created = await makeVault(workspace);
  process.stderr.write('  adding them\n');
  const adding = await runTask({ kind: 'add', ...created, paths: [source] });
  const about = `one call of addPaths, files of ${String(FILE_SIZE_BYTES)} bytes`;
  const added = toRow({ name: 'add all of them', kind: 'coffer', about, operations: count }, [adding]);

  const opening = await measureOpening(created);
  const library = await measureLibrary(created, count);
  const whole = await interleave(commandContestants(created, source), rounds);
  const versions = { find: findVersion('find') ?? 'none', ls: findVersion('ls') ?? 'none' };
  return {
    title: `${count.toLocaleString('en')} files`,
    rows: [
      ...[opening, ...library].map((row) => ({ ...row, group: 'In an open vault' })),
      ...whole.rows.map((row) => ({ ...row, group: 'Whole processes' })),
      { ...added, group: 'Making it' },
    ],
    verdicts: [...library.flatMap(verdictOf), openVerdict(opening), ...memoryVerdict(added)],
    skipped: whole.failures,
    disturbances: whole.disturbances,
    versions,
  };
}

/** In a new process each time, after the code was loaded: the driver, the keys, the recovery and the database. */
async function measureOpening(vault: BenchVault): Promise<Row> {
  const samplesMs: number[] = [];
  for (let index = 0; index < OPENINGS; index += 1) {
    samplesMs.push((await runTask({ kind: 'open', ...vault })).openMs);
  }
  return timedRow(
    { name: 'open', kind: 'coffer', about: 'in a new process, with a key file; code loaded' },
    samplesMs,
  );
}

async function measureLibrary(created: BenchVault, count: number): Promise<Row[]> {
  await using vault = await openVault({ directory: created.directory, secret: secretOf(created) });
  const few = String(count - 1).padStart(6, '0');
  const pages: readonly (readonly [name: string, query: FileQuery])[] = [
    ['first page, by path', { sort: 'path' }],
    ['first page, by size', { sort: 'size', descending: true }],
    ['first page of a search, few hits', { text: few }],
    ['first page of a search, many hits', { text: 'file' }],
    ['first page of a search, no hit', { text: 'nothing of that name' }],
  ];
  const rows: Row[] = [];
  for (const [name, query] of pages) {
    const samplesMs = await timeEach(REPEATS, () => vault.list(query));
    rows.push(timedRow({ name, kind: 'coffer', about: 'a page of the usual 1,000 files' }, samplesMs));
  }
  const folders = await timeEach(REPEATS, () => vault.folders(''));
  rows.push(
    timedRow({ name: 'folders of the root', kind: 'coffer', about: 'with counts and sizes' }, folders),
  );
  const listing = await timeEach(WHOLE_REPEATS, () => {
    const listed = listAll(vault);
    if (listed !== count) throw new Error(`${String(listed)} files were listed`);
  });
  rows.push(
    timedRow({ name: 'whole listing', kind: 'coffer', about: `in pages of ${String(PAGE_FILES)}` }, listing),
  );
  return rows;
}

function listAll(vault: Vault): number {
  let listed = 0;
  let cursor: string | undefined;
  do {
    const page = vault.list({ sort: 'path', limit: PAGE_FILES, ...(cursor === undefined ? {} : { cursor }) });
    listed += page.files.length;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return listed;
}

function commandContestants(vault: BenchVault, source: string): Contestant[] {
  const coffer = (...args: string[]): Contestant => ({
    name: ['coffer', ...args].join(' '),
    kind: 'coffer',
    about: 'from start to end, output to a pipe',
    run: () => runCoffer(vault, args),
  });
  const other = (about: string, command: string, ...args: string[]): Contestant => ({
    name: [command, ...args].join(' '),
    kind: 'peer',
    about,
    run: () => runProcess(command, args, { cwd: source }),
  });
  return [
    coffer('ls', '-r'),
    other('names alone, of the same files unencrypted', 'ls', '-R'),
    other('with a look at each file', 'ls', '-lR'),
    coffer('find', '099'),
    other('names alone, of the same files unencrypted', 'find', '.', '-name', '*099*'),
  ];
}

function verdictOf({ name, figures }: Row): Verdict[] {
  const limit = LIMITS_MS[name];
  if (limit === undefined) return [];
  const value = round(figures['medianMs'] ?? Number.NaN);
  return [{ budget: 'list', what: name, value, unit: 'ms', limit, atLeast: false }];
}

function openVerdict({ figures }: Row): Verdict {
  const value = figures['medianMs'] ?? Number.NaN;
  return {
    budget: 'open',
    what: 'open a vault, key file included',
    value,
    unit: 'ms',
    limit: 150,
    atLeast: false,
  };
}

function memoryVerdict({ figures }: Row): Verdict[] {
  const value = figures['peakMemoryMB'];
  if (value === undefined) return [];
  const what = `adding ${String(figures['operations'])} small files, peak memory`;
  return [{ budget: 'memory', what, value, unit: 'MB', limit: 300, atLeast: false }];
}
