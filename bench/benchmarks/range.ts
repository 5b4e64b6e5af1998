import { openVault } from '../../packages/vault/src/index.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault, secretOf } from '../coffer/vaults.ts';
import type { Findings, Row } from '../harness/report.ts';
import { makeSparseFile } from '../harness/sample-data.ts';
import { median, round } from '../harness/statistics.ts';
import { timeEach, timedRow } from '../harness/timing.ts';
import { remove } from '../harness/workspace.ts';
import { GIB, MIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const SIZES = [MIB, 16 * MIB, 256 * MIB, GIB, 10 * GIB];
const RANGE_SIZE_BYTES = MIB;
const PLACES = 100;
const REPEATS = 3;

/** 1 MiB anywhere in files of 1 MiB to 10 GiB, through an open vault. The sources are sparse; what is sealed and read is not. */
export async function run({ workspace, divisor }: BenchmarkOptions): Promise<Findings> {
  const sizes = [...new Set(SIZES.map((size) => Math.max(MIB, size / divisor)))];
  workspace.requireSpace(1.2 * sizes.reduce((sum, size) => sum + size, 0));
  const created = await makeVault(workspace);
  for (const sizeBytes of sizes) {
    const source = workspace.file(nameOf(sizeBytes));
    makeSparseFile(source, sizeBytes);
    process.stderr.write(`  adding ${nameOf(sizeBytes)}\n`);
    await runTask({ kind: 'add', ...created, paths: [source] });
    remove(source);
  }
  await using vault = await openVault({ directory: created.directory, secret: secretOf(created) });
  const rows: Row[] = [];
  for (const sizeBytes of sizes) rows.push(await measure(vault, sizeBytes));
  const largest = rows.at(-1)?.figures;
  return {
    title: '1 MiB anywhere in a file, in an open vault',
    rows,
    verdicts: ['medianMs', 'p95Ms'].map((key) => ({
      budget: 'range',
      what: `1 MiB of a ${showSize(sizes.at(-1) ?? 0)} file, warm, ${key === 'medianMs' ? 'median' : '95 of 100'}`,
      value: largest?.[key] ?? Number.NaN,
      unit: 'ms',
      limit: 5,
      atLeast: false,
    })),
    skipped: [],
    disturbances: [],
    versions: {},
  };
}

async function measure(vault: Vault, sizeBytes: number): Promise<Row> {
  const item = nameOf(sizeBytes);
  // Not at the borders of segments: anywhere.
  const starts = Array.from({ length: PLACES }, () =>
    Math.floor(Math.random() * (sizeBytes - RANGE_SIZE_BYTES)),
  );
  const readOne = async (index: number): Promise<void> => {
    const start = starts[index % PLACES] ?? 0;
    const range = { start, end: start + RANGE_SIZE_BYTES };
    let done = 0;
    // As `coffer cat` reads: each piece is used before the next one is asked for.
    for await (const piece of vault.read(item, { ...range, transient: true })) done += piece.length;
    if (done !== RANGE_SIZE_BYTES) throw new Error(`${String(done)} bytes came out`);
  };
  await timeEach(20, readOne);
  const first = await timeEach(PLACES, readOne);
  const warm = await timeEach(PLACES * REPEATS, readOne);
  const row = timedRow(
    {
      name: showSize(sizeBytes),
      kind: 'coffer',
      about: `${String(PLACES)} places at random, each read ${String(REPEATS)} times`,
    },
    warm,
  );
  return { ...row, figures: { ...row.figures, firstMs: round(median(first)), sizeBytes } };
}

function nameOf(sizeBytes: number): string {
  return `file-${String(sizeBytes)}.bin`;
}

export function showSize(sizeBytes: number): string {
  return sizeBytes >= GIB ? `${String(sizeBytes / GIB)} GiB` : `${String(sizeBytes / MIB)} MiB`;
}
