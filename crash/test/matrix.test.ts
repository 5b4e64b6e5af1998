import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePoint } from '../kill-points.ts';
import type { Points } from '../kill-points.ts';
import { despiteKeyringCrashes, whyNoKeychain } from '../keyring.ts';
import { inLanes } from '../lanes.ts';
import { describeCase, runCase } from '../matrix.ts';
import type { Outcome } from '../matrix.ts';
import { OPERATIONS } from '../operations/table.ts';
import { planCases } from '../plan.ts';
import { recordSteps } from '../power-loss/record-steps.ts';
import type { RecordedSteps } from '../power-loss/record-steps.ts';
import { killedAt } from '../print.ts';
import { runOperation } from '../run-operation.ts';
import { seeded } from '../seeded.ts';
import { whyNotTraced } from '../strace.ts';
import { Templates } from '../templates.ts';
import { runTimed } from '../timed-kills.ts';

/** So many system calls are reached, each another one; a few more are tried. `pnpm crash` runs more of them. */
const POINTS = 200;
const CASES = 212;
const SEED = 20_261_124;

const reason = await whyNotTraced();
const why = reason === undefined ? '' : `: ${reason}`;
const without = whyNoKeychain === undefined ? '' : ` (no keychain: ${whyNoKeychain})`;
let folder: string;
let templates: Templates;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-crash-'));
  templates = await Templates.make(folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let recordings: Promise<ReadonlyMap<string, RecordedSteps>> | undefined;

/** Each operation once, undisturbed, for all tests that need it. */
function recordAll(): Promise<ReadonlyMap<string, RecordedSteps>> {
  return (recordings ??= (async () => {
    const recorded = new Map<string, RecordedSteps>();
    await inLanes(Object.keys(OPERATIONS), async (name) => {
      recorded.set(name, await recordSteps(templates, name));
    });
    return recorded;
  })());
}

test.skipIf(reason !== undefined)(
  `every operation does undisturbed what it is to do, and what the power loss model says that it does${without}${why}`,
  { timeout: 1_800_000 },
  async () => {
    const recorded = await recordAll();
    expect(recorded.size).toBe(Object.keys(OPERATIONS).length);
    for (const [name, recording] of recorded) {
      expect(recording.run, name).toMatchObject({ failures: [], stderr: '', exitCode: 0, timedOut: false });
      expect(recording.points.kills.length, name).toBeGreaterThan(0);
    }
  },
);

test.skipIf(reason !== undefined)(
  `killed or failing at ${String(POINTS)} system calls, nothing acknowledged is lost and nothing is left over${without}${why}`,
  { timeout: 1_800_000 },
  async () => {
    const outcomes: Outcome[] = [];
    // In the order of the table, whichever recording was finished first.
    const recorded = await recordAll();
    const ordered = new Map<string, Points>();
    for (const name of Object.keys(OPERATIONS)) {
      const recording = recorded.get(name);
      if (recording !== undefined) ordered.set(name, recording.points);
    }
    await inLanes(planCases(ordered, CASES, SEED), async (each) => {
      outcomes.push(await runCase(templates, each, false));
    });
    const problems = outcomes.flatMap(({ case: each, problem }) =>
      problem === undefined ? [] : `pnpm crash ${describeCase(each)}\n${problem}`,
    );
    expect(problems).toEqual([]);
    const reached = outcomes.filter((each) => each.reached);
    const calls = reached.map(({ case: { operation, at } }) => `${operation} ${describePoint(at)}`);
    expect(new Set(calls).size).toBeGreaterThanOrEqual(POINTS);
    expect(killedAt(outcomes)).toBeGreaterThan(POINTS / 3);
  },
);

/** Where there is no strace all of them are timed; elsewhere a few, so that this is tested too. */
const TIMED_POINTS = reason === undefined ? Object.keys(OPERATIONS).length : POINTS;

test(
  `killed from outside at ${String(TIMED_POINTS)} seeded times, nothing acknowledged is lost and nothing is left over${without}`,
  { timeout: 1_800_000 },
  async () => {
    const random = seeded(SEED);
    const names = Object.keys(OPERATIONS);
    const durations = new Map<string, number>();
    for (const name of names) {
      const { durationMs, failures } = await despiteKeyringCrashes(
        async () => await runOperation(name, await templates.copyOf(name)),
        (run) => run.failures.join(),
      );
      expect(failures, name).toEqual([]);
      durations.set(name, durationMs);
    }
    const points = Array.from({ length: TIMED_POINTS }, (_, index) => ({
      name: names[index % names.length] ?? '',
      share: random(),
    }));
    const problems: string[] = [];
    let reached = 0;
    await inLanes(points, async ({ name, share }) => {
      const outcome = await runTimed(templates, name, share * (durations.get(name) ?? 0));
      if (outcome.reached) reached += 1;
      if (outcome.problem !== undefined)
        problems.push(`${name} after ${share.toFixed(3)} of its time\n${outcome.problem}`);
    });
    expect(problems).toEqual([]);
    expect(reached).toBeGreaterThanOrEqual(TIMED_POINTS * 0.95);
  },
);
