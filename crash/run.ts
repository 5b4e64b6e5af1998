/*
 * The crash matrix: `npx -y pnpm@12.21.0 crash [--points N] [--seed S] [--operation X]`. See docs/crash-safety.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runOnFullDisk, whyNoSmallDisk } from './disk-full.ts';
import { parsePoint } from './kill-points.ts';
import type { KillPoint } from './kill-points.ts';
import { inLanes } from './lanes.ts';
import { describeCase, record, runCase } from './matrix.ts';
import type { Case, Outcome } from './matrix.ts';
import { OPERATIONS, operationOf } from './operations/table.ts';
import { planCases } from './plan.ts';
import { printOutcomes } from './print.ts';
import { seeded } from './seeded.ts';
import { whyNotTraced } from './strace.ts';
import { Templates } from './templates.ts';

const THOROUGH_EVERY = 4;
const PAGE_SIZE_BYTES = 4096;

const { values } = parseArgs({
  options: {
    points: { type: 'string', default: '2500' },
    seed: { type: 'string', default: '20261124' },
    operation: { type: 'string', multiple: true, default: [] },
    at: { type: 'string' },
    action: { type: 'string', default: 'signal=SIGKILL' },
    then: { type: 'string' },
    space: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '600' },
    shard: { type: 'string', default: '1/1' },
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
    if (performance.now() > Number(values.minutes) * 60_000) return;
    // The full check starts a process of its own; every file is read and compared in any case.
    const outcome = await runCase(templates, testCase, begun++ % THOROUGH_EVERY === 0);
    outcomes.push(outcome);
    done += 1;
    if (outcome.problem !== undefined)
      console.error(`FAILED ${describeCase(testCase)}\n${outcome.problem}\n`);
    if (done % 100 === 0) console.error(`${String(done)} of ${String(cases.length)}`);
  });
  printOutcomes(outcomes, values.seed);
  const full = values.at === undefined ? await onFullDisks(templates) : [];
  const held = full.filter((isHeld) => isHeld).length;
  console.log(`on a full disk: ${String(held)} of ${String(full.length)} points hold`);
  const isAllHeld = held === full.length && outcomes.every(({ problem }) => problem === undefined);
  process.exitCode = isAllHeld ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Some amounts of free space for each operation, most of them small. Whether each held. */
async function onFullDisks(templates: Templates): Promise<boolean[]> {
  const notHere = whyNoSmallDisk();
  if (notHere !== undefined) {
    console.error(`no full disks: ${notHere}`);
    return [];
  }
  const random = seeded(Number(values.seed));
  const points = chosenOperations().flatMap((operation) =>
    Array.from({ length: Number(values.space) }, (_, index) => ({
      operation,
      freeBytes: Math.floor(random() * 2 ** (3 + (index % 6))) * PAGE_SIZE_BYTES,
    })),
  );
  const held: boolean[] = [];
  await inLanes(ofShard(points), async ({ operation, freeBytes }) => {
    const problem = await runOnFullDisk(templates, operation, freeBytes);
    held.push(problem === undefined);
    if (problem !== undefined)
      console.error(`FAILED ${operation} with ${String(freeBytes)} bytes free\n${problem}\n`);
  });
  return held;
}

function chosenOperations(): readonly string[] {
  const names = values.operation.length === 0 ? Object.keys(OPERATIONS) : values.operation;
  for (const name of names) operationOf(name);
  return names;
}

/** Every n-th item, for several processes that share a run: `--shard 2/4`. */
function ofShard<T>(items: readonly T[]): T[] {
  const [which = 1, count = 1] = values.shard.split('/').map(Number);
  return items.filter((_, index) => index % count === which - 1);
}

async function planned(templates: Templates): Promise<Case[]> {
  const names = chosenOperations();
  const points = new Map<string, readonly KillPoint[]>();
  for (const name of names) {
    const stage = await templates.copyOf(name);
    points.set(name, (await record(name, stage)).points);
    rmSync(stage.disk, { recursive: true });
  }
  const total = [...points.values()].reduce((sum, { length }) => sum + length, 0);
  console.error(`${String(names.length)} operations have ${String(total)} kill points`);
  return ofShard(planCases(points, Number(values.points), Number(values.seed)));
}

function givenCase(at: string): Case {
  const [operation = ''] = values.operation;
  const then = values.then === undefined ? {} : { thenAt: Number(values.then) };
  return { operation, at: parsePoint(at), action: values.action, ...then };
}
