import { join } from 'node:path';
import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import { findRatio } from '../harness/report.ts';
import type { Findings, Verdict } from '../harness/report.ts';
import { makeRandomFile } from '../harness/sample-data.ts';
import type { Workspace } from '../harness/workspace.ts';
import { MIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const SMALL_SIZE_BYTES = 128 * 1024;
const COUNTS = [10, 100, 1000] as const;
/** A file is sealed on its own from 102,400 bytes on; eight times the bytes must not cost eight times the time. */
const LARGE = `1000 files of 1 MiB`;
const SMALL = `1000 files of 128 KiB`;

/** `coffer key rotate` over the number of sealed files, and over their size. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  workspace.requireSpace(4 * 1024 * MIB);
  const contestants: Contestant[] = [];
  for (const count of COUNTS) {
    contestants.push(
      await rotating(workspace, `${String(count)} files of 128 KiB`, count / divisor, SMALL_SIZE_BYTES),
    );
  }
  contestants.push(await rotating(workspace, LARGE, 1000 / divisor, MIB));
  const { rows, failures, disturbances } = await interleave(contestants, rounds);
  const ratio = findRatio(rows, SMALL, LARGE);
  const verdicts: Verdict[] =
    ratio === undefined
      ? []
      : [
          {
            budget: 'rotate',
            what: 'rotating 1,000 files of 1 MiB, time over that of 1,000 files of 128 KiB',
            value: ratio,
            unit: '×',
            limit: 1.5,
            atLeast: false,
          },
        ];
  return {
    title: 'Rotating the root key',
    rows,
    verdicts,
    skipped: failures,
    disturbances,
    versions: {},
  };
}

async function rotating(
  workspace: Workspace,
  name: string,
  count: number,
  sizeBytes: number,
): Promise<Contestant> {
  const vault = await makeVault(workspace);
  const sources = workspace.folder('sources');
  const paths = Array.from({ length: Math.ceil(count) }, (_, index) => join(sources, String(index)));
  for (const path of paths) makeRandomFile(path, sizeBytes);
  await runTask({ kind: 'add', ...vault, paths: [sources] });
  return {
    name,
    kind: 'coffer',
    about: '`coffer key rotate` from start to end',
    operations: paths.length,
    run: () => runCoffer(vault, ['key', 'rotate', '--no-input', '--yes']),
  };
}
