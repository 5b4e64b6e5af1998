import { measureCeiling } from '../ceiling/ceiling.ts';
import type { CeilingTask } from '../ceiling/ceiling.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import type { Findings, Row } from '../harness/report.ts';
import { round } from '../harness/statistics.ts';
import { makeRandomFile } from '../harness/sample-data.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';
import { ceilingContestants, cofferContestants } from './seal-1g.ts';

const PRIMITIVES: readonly (readonly [name: string, work: CeilingTask['work'], threads: number])[] = [
  ['SHA-256', 'sha256', 1],
  ['HMAC-SHA-256', 'hmac-sha256', 1],
  ['AES-128-CBC, encrypt', 'aes-128-cbc', 1],
  ['all three, to seal', 'seal', 1],
  ['all three, to open', 'open', 1],
];

/** What the primitives allow on one core and on two, without and with files, and how near adding a file comes to it. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = GIB / divisor;
  workspace.requireSpace(4 * sizeBytes);
  const source = workspace.file('source.bin');
  makeRandomFile(source, sizeBytes);
  const primitives: Contestant[] = PRIMITIVES.map(([name, work, threads]) => ({
    name,
    kind: 'limit',
    about: 'node:crypto over segments of 256 KiB, one thread, in memory',
    sizeBytes,
    run: () => measureCeiling({ work, sizeBytes, threads }),
  }));
  const together = [
    ...ceilingContestants(workspace, source, sizeBytes),
    ...cofferContestants(workspace, source, sizeBytes),
  ];
  const { rows, failures, disturbances } = await interleave([...together, ...primitives], rounds);
  const alone = new Set(primitives.map(({ name }) => name));
  return {
    title: `What two cores allow, over ${String(sizeBytes / GIB)} GiB`,
    rows: rows.map((row) =>
      alone.has(row.name)
        ? { ...withCostPerByte(row), group: 'Primitives, one thread' }
        : { ...row, group: 'Sealing on two cores' },
    ),
    verdicts: [],
    skipped: failures,
    disturbances,
    versions: {},
  };
}

function withCostPerByte(row: Row): Row {
  const { medianMs = 0, sizeBytes = 1 } = row.figures;
  return { ...row, figures: { ...row.figures, nsPerByte: round((medianMs * 1e6) / sizeBytes, 3) } };
}
