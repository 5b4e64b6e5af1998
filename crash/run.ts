/*
 * The crash matrix: `npx -y pnpm@12.21.0 crash [--cases N] [--kills-only] [--seed S] [--operation X]`. See docs/crash-safety.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runOnFullDisk, whyNoSmallDisk } from './disk-full.ts';
import { parsePoint } from './kill-points.ts';
import type { Points } from './kill-points.ts';
import { whyNoKeychain } from './keyring.ts';
import { inLanes } from './lanes.ts';
import { describeCase, record, runCase } from './matrix.ts';
import type { Case, Outcome } from './matrix.ts';
import { OPERATIONS, operationOf } from './operations/table.ts';
import { planCases, planKills } from './plan.ts';
import { printOutcomes } from './print.ts';
import { seeded } from './seeded.ts';
import { compileShortWrites, runWithShortWrites } from './short-writes.ts';
import { whyNotTraced } from './strace.ts';
import { Templates } from './templates.ts';

const THOROUGH_EVERY = 4;
const PAGE_SIZE_BYTES = 4096;

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '2500' },
    'kills-only': { type: 'boolean', default: false },
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

const reason = await whyNotTraced();
if (reason !== undefined) {
  console.error(`crash: ${reason}; \`npx -y pnpm@12.21.0 test\` has a variant that needs no strace`);
  process.exit(1);
}
if (whyNoKeychain !== undefined) console.error(`no operations with a keychain: ${whyNoKeychain}`);
const folder = mkdtempSync(join(tmpdir(), 'coffer-crash-'));
try {
  const templates = await Templates.make(folder);
  const points = values.at === undefined ? await recordPoints(templates) : new Map<string, Points>();
  const cases = values.at === undefined ? planned(points) : [givenCase(values.at)];
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
  const isMatrixHeld = printOutcomes(outcomes, points, values.seed);
  const dropped = cases.length - outcomes.length;
  if (dropped > 0) console.log(`${String(dropped)} cases were not tried: the time was up`);
  const isMore = values.at === undefined && !values['kills-only'];
  const more = isMore ? [...(await onFullDisks(templates)), ...(await withShortWrites(templates))] : [];
  process.exitCode = isMatrixHeld && dropped === 0 && more.every((isHeld) => isHeld) ? 0 : 1;
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
  printHeld('on a full disk', held);
  return held;
}

/** Each operation once with every write cut short. Whether each held. */
async function withShortWrites(templates: Templates): Promise<boolean[]> {
  const { library, reason: notHere } = compileShortWrites(folder);
  if (library === undefined) {
    console.error(`no short writes: ${notHere}`);
    return [];
  }
  const held: boolean[] = [];
  await inLanes(ofShard(chosenOperations()), async (operation) => {
    const { problem } = await runWithShortWrites(templates, operation, library);
    held.push(problem === undefined);
    if (problem !== undefined) console.error(`FAILED ${operation} with short writes\n${problem}\n`);
  });
  printHeld('with every write cut short', held);
  return held;
}

function printHeld(where: string, held: readonly boolean[]): void {
  console.log(`${where}: ${String(held.filter(Boolean).length)} of ${String(held.length)} hold`);
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

async function recordPoints(templates: Templates): Promise<Map<string, Points>> {
  const points = new Map<string, Points>();
  for (const name of chosenOperations()) {
    const stage = await templates.copyOf(name);
    points.set(name, (await record(name, stage)).points);
    rmSync(stage.disk, { recursive: true });
  }
  const total = [...points.values()].reduce((sum, { kills }) => sum + kills.length, 0);
  console.error(`${String(points.size)} operations have ${String(total)} kill points`);
  return points;
}

function planned(points: ReadonlyMap<string, Points>): Case[] {
  if (values['kills-only']) return ofShard(planKills(points));
  return ofShard(planCases(points, Number(values.cases), Number(values.seed)));
}

function givenCase(at: string): Case {
  const [operation = ''] = values.operation;
  const then = values.then === undefined ? {} : { thenAt: Number(values.then) };
  return { operation, at: parsePoint(at), action: values.action, ...then };
}
