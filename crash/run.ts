/*
 * The crash matrix: `npx -y pnpm@12.21.0 crash [--points N] [--seed S] [--operation X]`. See docs/crash-safety.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsePoint } from './kill-points.ts';
import type { KillPoint } from './kill-points.ts';
import { inLanes } from './lanes.ts';
import { describeCase, record, runCase } from './matrix.ts';
import type { Case, Outcome } from './matrix.ts';
import { OPERATIONS, operationOf } from './operations/table.ts';
import { planCases } from './plan.ts';
import { printOutcomes } from './print.ts';
import { whyNotTraced } from './strace.ts';
import { Templates } from './templates.ts';

const THOROUGH_EVERY = 4;

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '2500' },
    seed: { type: 'string', default: '20261124' },
    operation: { type: 'string', multiple: true, default: [] },
    at: { type: 'string' },
    action: { type: 'string', default: 'signal=SIGKILL' },
    then: { type: 'string' },
  },
});

const reason = whyNotTraced();
if (reason !== undefined) {
  console.error(`crash: ${reason}; \`npx -y pnpm@12.21.0 test\` has a variant that needs no strace`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'coffer-crash-'));
try {
  const templates = await Templates.make(folder);
  const cases = values.at === undefined ? await planned(templates) : [givenCase(values.at)];
  const outcomes: Outcome[] = [];
  let begun = 0;
  let done = 0;
  await inLanes(cases, async (testCase) => {
    // The full check starts a process of its own; every file is read and compared in any case.
    const outcome = await runCase(templates, testCase, begun++ % THOROUGH_EVERY === 0);
    outcomes.push(outcome);
    done += 1;
    if (outcome.problem !== undefined)
      console.error(`FAILED ${describeCase(testCase)}\n${outcome.problem}\n`);
    if (done % 100 === 0) console.error(`${String(done)} of ${String(cases.length)}`);
  });
  printOutcomes(outcomes, values.seed);
  process.exitCode = outcomes.some(({ problem }) => problem !== undefined) ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function planned(templates: Templates): Promise<Case[]> {
  const names = values.operation.length === 0 ? Object.keys(OPERATIONS) : values.operation;
  const points = new Map<string, readonly KillPoint[]>();
  for (const name of names) {
    operationOf(name);
    const stage = await templates.copyOf(name);
    points.set(name, (await record(name, stage)).points);
    rmSync(stage.disk, { recursive: true });
  }
  const total = [...points.values()].reduce((sum, { length }) => sum + length, 0);
  console.error(`${String(names.length)} operations have ${String(total)} kill points`);
  return planCases(points, Number(values.points), Number(values.seed));
}

function givenCase(at: string): Case {
  const [operation = ''] = values.operation;
  const then = values.then === undefined ? {} : { thenAt: Number(values.then) };
  return { operation, at: parsePoint(at), action: values.action, ...then };
}
