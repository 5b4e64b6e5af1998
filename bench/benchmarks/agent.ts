import { join } from 'node:path';
import { COFFER_BIN, runCoffer } from '../coffer/command.ts';
import { runTask } from '../coffer/task.ts';
import { makeVault } from '../coffer/vaults.ts';
import type { BenchVault } from '../coffer/vaults.ts';
import { countAsOwn, processCpuSeconds } from '../harness/cpu-time.ts';
import { interleave } from '../harness/interleave.ts';
import type { Contestant } from '../harness/interleave.ts';
import { runProcess } from '../harness/measured-process.ts';
import type { Sample } from '../harness/measured-process.ts';
import { findRatio } from '../harness/report.ts';
import type { Findings, Row } from '../harness/report.ts';
import { makeRandomFile, sha256OfFile } from '../harness/sample-data.ts';
import { warm } from '../harness/warm.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { GIB } from './benchmark.ts';
import type { BenchmarkOptions } from './benchmark.ts';

const NAME = 'source.bin';
const WAYS = ['directly', 'with an agent'] as const;
const COMMANDS = ['coffer add', 'coffer add -', 'coffer get', 'coffer cat'] as const;

/** The same commands on 1 GiB, opening the vault themselves and with an agent that has it open. */
export async function run({ workspace, divisor, rounds }: BenchmarkOptions): Promise<Findings> {
  const sizeBytes = GIB / divisor;
  workspace.requireSpace(6 * sizeBytes);
  const source = workspace.file(NAME);
  makeRandomFile(source, sizeBytes);
  // The sockets of a benchmark are not among those of whoever runs it.
  process.env['XDG_RUNTIME_DIR'] = workspace.folder('run');
  const [direct, served] = [await makeVault(workspace), await makeVault(workspace)];
  for (const vault of [direct, served]) await runTask({ kind: 'add', ...vault, paths: [source] });
  const { stdout } = await runCoffer(served, ['unlock', '--json']);
  const { pid } = JSON.parse(stdout) as { pid: number };
  countAsOwn(pid);
  try {
    const contestants = [
      ...(await contestantsOf(workspace, WAYS[0], direct, sizeBytes, undefined)),
      ...(await contestantsOf(workspace, WAYS[1], served, sizeBytes, pid)),
    ];
    const { rows, failures, disturbances } = await interleave(contestants, rounds);
    return {
      title: `Commands on ${String(sizeBytes / GIB)} GiB with an agent and without one`,
      rows: rows.map((row) => ({ ...row, group: groupOf(row) })),
      verdicts: COMMANDS.flatMap((command) => verdictOf(rows, command)),
      skipped: failures,
      disturbances,
      versions: {},
    };
  } finally {
    await runCoffer(served, ['lock']);
  }
}

async function contestantsOf(
  workspace: Workspace,
  way: (typeof WAYS)[number],
  vault: BenchVault,
  sizeBytes: number,
  agent: number | undefined,
): Promise<Contestant[]> {
  const expected = await sha256OfFile(workspace.file(NAME));
  const about = agent === undefined ? 'opens the vault itself' : 'asks the agent; its CPU time is counted';
  const common = { kind: 'coffer' as const, about, sizeBytes };
  return [
    {
      ...common,
      name: `coffer add, ${way}`,
      run: async () => {
        warm(workspace.file(NAME));
        const sample = await withAgent(agent, () =>
          runCoffer(vault, ['add', workspace.file(NAME), '--name', 'again.bin']),
        );
        await runCoffer(vault, ['rm', 'again.bin']);
        return sample;
      },
    },
    {
      ...common,
      name: `coffer add -, ${way}`,
      run: async () => {
        warm(workspace.file(NAME));
        // From another program: through a pipe to the command, and with an agent through its socket.
        const script = 'source="$1"; shift; cat "$source" | "$0" "$@"';
        const options = ['--vault', vault.directory, '--keyfile', vault.keyfile];
        const command = [process.execPath, workspace.file(NAME), COFFER_BIN, ...options];
        const args = ['-c', script, ...command, 'add', '-', '--name', 'again.bin'];
        const sample = await withAgent(agent, () => runProcess('/bin/sh', args));
        await runCoffer(vault, ['rm', 'again.bin']);
        return sample;
      },
    },
    {
      ...common,
      name: `coffer get, ${way}`,
      run: async () => {
        const folder = workspace.folder('restored');
        warm(join(vault.directory, 'files'));
        const target = join(folder, 'target');
        const sample = await withAgent(agent, () => runCoffer(vault, ['get', NAME, '-o', target]));
        if ((await sha256OfFile(target)) !== expected)
          throw new Error('what came out is not what was put in');
        remove(folder);
        return sample;
      },
    },
    {
      ...common,
      name: `coffer cat, ${way}`,
      run: () => {
        warm(join(vault.directory, 'files'));
        // To another program, which throws it away: through a pipe, as content of a `cat` goes.
        const script = '"$0" "$@" | cat >/dev/null';
        const options = ['--vault', vault.directory, '--keyfile', vault.keyfile];
        const args = ['-c', script, process.execPath, COFFER_BIN, ...options, 'cat', NAME];
        return withAgent(agent, () => runProcess('/bin/sh', args));
      },
    },
  ];
}

/** With the CPU time that the agent took meanwhile. */
async function withAgent(agent: number | undefined, work: () => Promise<Sample>): Promise<Sample> {
  const before = agent === undefined ? undefined : processCpuSeconds(agent);
  const sample = await work();
  const after = agent === undefined ? undefined : processCpuSeconds(agent);
  if (before === undefined || after === undefined || sample.cpuSeconds === undefined) return sample;
  return { ...sample, cpuSeconds: sample.cpuSeconds + after - before };
}

function groupOf({ name }: Row): string {
  return COMMANDS.find((command) => name.startsWith(`${command},`)) ?? '';
}

function verdictOf(rows: readonly Row[], command: string): Findings['verdicts'] {
  const value = findRatio(rows, `${command}, ${WAYS[1]}`, `${command}, ${WAYS[0]}`);
  const what = `${command} of 1 GiB with an agent, of without`;
  return value === undefined ? [] : [{ budget: 'agent', what, value, unit: '×', limit: 0.8, atLeast: true }];
}
