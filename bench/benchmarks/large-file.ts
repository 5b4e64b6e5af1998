import { join } from 'node:path';
import { runCoffer } from '../coffer/command.ts';
import { makeVault } from '../coffer/vaults.ts';
import { toRow } from '../harness/interleave.ts';
import type { Findings, Row, Verdict } from '../harness/report.ts';
import { makeSparseFile } from '../harness/sample-data.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import { showSize } from './range.ts';

const SIZE_BYTES = 10 * GIB;
const NAME = 'large.bin';

/** Memory does not grow with the file: `coffer add`, `check` and `get` of 10 GiB, once each. */
export async function run({ workspace, divisor }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = SIZE_BYTES / divisor;
  workspace.requireSpace(2.2 * sizeBytes);
  const source = workspace.file(NAME);
  makeSparseFile(source, sizeBytes);
  const vault = await makeVault(workspace);
  const target = join(workspace.folder('restored'), NAME);
  const steps = [
    ['add', [source]],
    ['check', []],
    ['get', [NAME, '-o', target]],
  ] as const;
  const rows: Row[] = [];
  for (const [command, args] of steps) {
    process.stderr.write(`  coffer ${command}\n`);
    const sample = await runCoffer(vault, [command, ...args]);
    const about = `${showSize(sizeBytes)}, from a sparse source; the whole process`;
    rows.push(toRow({ name: `coffer ${command}`, kind: 'coffer', about, sizeBytes }, [sample]));
  }
  const verdicts = rows.flatMap(({ name, figures }): Verdict[] => {
    const value = figures['peakMemoryMB'];
    const what = `${name} of ${showSize(sizeBytes)}, peak memory`;
    return value === undefined
      ? []
      : [{ budget: 'memory', what, value, unit: 'MB', limit: 300, atLeast: false }];
  });
  return {
    title: `A file of ${showSize(sizeBytes)}`,
    rows,
    verdicts,
    skipped: [],
    disturbances: [],
    versions: {},
  };
}
