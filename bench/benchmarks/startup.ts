import { makeVault } from '../coffer/vaults.ts';
import { runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import { runProcess } from '../harness/measured-process.ts';
import type { Findings, Verdict } from '../harness/report.ts';
import { makeManyFiles } from '../harness/sample-data.ts';
import { findVersion } from '../peers/commands.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const ROUNDS = 20;
const FILES = 20;
const OTHERS = [
  ['age', ['--version']],
  ['gpg', ['--version']],
  ['restic', ['version']],
] as const;

/** Whole processes, from before the start until the end. */
export async function run({ workspace }: BenchmarkOptions): Promise<Findings> {
  const vault = await makeVault(workspace);
  const source = workspace.folder('source');
  makeManyFiles(source, FILES, 1000);
  await runTask({ kind: 'add', ...vault, paths: [source] });

  const coffer = (name: string, about: string, args: readonly string[]): Contestant => ({
    name,
    kind: 'coffer',
    about,
    run: () => runCoffer(args.includes('--version') ? undefined : vault, args),
  });
  const versions: Record<string, string> = {};
  const skipped: string[] = [];
  const others: Contestant[] = [];
  for (const [command, args] of OTHERS) {
    const version = findVersion(command, args);
    if (version === undefined) {
      skipped.push(`${command}: not on PATH`);
      continue;
    }
    versions[command] = version;
    const name = [command, ...args].join(' ');
    others.push({ name, kind: 'peer', about: 'a compiled program', run: () => runProcess(command, args) });
  }
  const contestants: Contestant[] = [
    coffer('coffer --version', 'loads nothing that it does not need', ['--version']),
    coffer('coffer ls', `a vault of ${String(FILES)} files, opened with a key file`, ['ls', '-r']),
    {
      name: 'node -e 0',
      kind: 'limit',
      about: 'Node.js itself',
      run: () => runProcess(process.execPath, ['-e', '0']),
    },
    ...others,
  ];
  const { rows, failures, disturbances } = await interleave(contestants, ROUNDS);
  const verdict = (name: string, limit: number): Verdict[] => {
    const value = rows.find((row) => row.name === name)?.figures['medianMs'];
    return value === undefined
      ? []
      : [{ budget: 'startup', what: name, value, unit: 'ms', limit, atLeast: false }];
  };
  return {
    title: 'Starting',
    rows,
    verdicts: [...verdict('coffer --version', 120), ...verdict('coffer ls', 300)],
    skipped: [...skipped, ...failures],
    disturbances,
    versions,
  };
}
