/*
 * Runs benchmarks: `npx -y pnpm@12.21.0 bench [name…]`. See bench/README.md.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmarks/benchmark.ts';
import { watchOthers } from './harness/cpu-time.ts';
import { describeMachine } from './harness/machine.ts';
import { printReport } from './harness/print.ts';
import { RESULTS_FOLDER, writeReport } from './harness/report.ts';
import { round } from './harness/statistics.ts';
import { Workspace } from './harness/workspace.ts';

/** By name, each loaded when it is run. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  'seal-1g': () => import('./benchmarks/seal-1g.ts'),
  'read-1g': () => import('./benchmarks/read-1g.ts'),
  ceiling: () => import('./benchmarks/ceiling.ts'),
  'small-files': () => import('./benchmarks/small-files.ts'),
  list: () => import('./benchmarks/list.ts'),
  range: () => import('./benchmarks/range.ts'),
  agent: () => import('./benchmarks/agent.ts'),
  rewrap: () => import('./benchmarks/rewrap.ts'),
  startup: () => import('./benchmarks/startup.ts'),
  'large-file': () => import('./benchmarks/large-file.ts'),
  growth: () => import('./benchmarks/growth.ts'),
  profile: () => import('./benchmarks/profile.ts'),
};

const ROOT = join(import.meta.dirname, '..');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    divisor: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
    sqlcipher: { type: 'string' },
    out: { type: 'string', default: RESULTS_FOLDER },
    build: { type: 'boolean', default: true },
    help: { type: 'boolean', default: false },
  },
  allowNegative: true,
});

const unknown = positionals.filter((name) => BENCHMARKS[name] === undefined && name !== 'docs');
if (options.help || unknown.length > 0) {
  for (const name of unknown) console.error(`there is no benchmark called ${name}`);
  console.error(`usage: bench [--rounds N] [--divisor N] [--long] [--sqlcipher FOLDER] [--out FOLDER] [--no-build] [name…]

names: ${Object.keys(BENCHMARKS).join(', ')}; docs renders docs/performance.md from the results`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

if (positionals[0] === 'docs') {
  const { renderDocs } = await import('./docs/render-docs.ts');
  const folder = options.out === RESULTS_FOLDER ? join(ROOT, 'docs') : options.out;
  for (const path of await renderDocs(options.out, folder)) console.log(path);
  process.exit();
}

if (options.build) build();
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const divisor = Number(options.divisor);
if (!Number.isInteger(Math.log2(divisor))) throw new Error('the divisor is a power of two');
for (const name of names) {
  const load = BENCHMARKS[name];
  if (load === undefined) continue;
  process.stderr.write(`${name}\n`);
  using workspace = new Workspace();
  const benchmark = await load();
  const othersShare = watchOthers();
  const findings = await benchmark.run({
    workspace,
    divisor,
    rounds: Number(options.rounds),
    long: options.long,
    sqlcipherFolder: options.sqlcipher,
  });
  const report = {
    name,
    command: `npx -y pnpm@12.21.0 bench ${name}${options.long ? ' --long' : ''}`,
    takenAt: new Date().toISOString(),
    othersShare: round(othersShare(), 2),
    machine: describeMachine(),
    ...findings,
  };
  printReport(report);
  // What was made smaller to try something out is no result.
  if (divisor === 1 || options.out !== RESULTS_FOLDER) await writeReport(report, options.out);
}

/** The command is measured as it is shipped. */
function build(): void {
  const { status } = spawnSync('tsc', ['-b', 'packages/cli'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.stderr.write('the build has errors; the command may be an older one\n');
}
