import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KillPoint } from '../kill-points.ts';
import { inLanes } from '../lanes.ts';
import { describeCase, record, runCase, runTimed } from '../matrix.ts';
import { OPERATIONS } from '../operations/table.ts';
import { planCases } from '../plan.ts';
import { runOperation } from '../run-operation.ts';
import { seeded } from '../seeded.ts';
import { whyNotTraced } from '../strace.ts';
import { Templates } from '../templates.ts';

/** `pnpm crash` runs more of them. */
const POINTS = 200;
const SEED = 20_261_124;

const reason = whyNotTraced();
let folder: string;
let templates: Templates;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-crash-'));
  templates = await Templates.make(folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const points = new Map<string, readonly KillPoint[]>();

test.skipIf(reason !== undefined)(
  `every operation does undisturbed what it is to do${reason === undefined ? '' : `: ${reason}`}`,
  { timeout: 120_000 },
  async () => {
    await inLanes(Object.keys(OPERATIONS), async (name) => {
      const recording = await record(name, await templates.copyOf(name));
      expect(recording.run, name).toMatchObject({ failures: [], stderr: '', exitCode: 0, timedOut: false });
      expect(recording.points.length, name).toBeGreaterThan(0);
      points.set(name, recording.points);
    });
  },
);

test.skipIf(reason !== undefined)(
  `killed or failing at ${String(POINTS)} system calls, nothing acknowledged is lost and nothing is left over${reason === undefined ? '' : `: ${reason}`}`,
  { timeout: 280_000 },
  async () => {
    const problems: string[] = [];
    let reached = 0;
    // In the order of the table, whichever recording was finished first.
    const ordered = new Map(Object.keys(OPERATIONS).map((name) => [name, points.get(name) ?? []]));
    await inLanes(planCases(ordered, POINTS, SEED), async (each) => {
      const outcome = await runCase(templates, each, false);
      if (outcome.reached) reached += 1;
      if (outcome.problem !== undefined)
        problems.push(`pnpm crash ${describeCase(each)}\n${outcome.problem}`);
    });
    expect(problems).toEqual([]);
    expect(reached).toBeGreaterThan(POINTS * 0.9);
  },
);

/** Where there is no strace all of them are timed; elsewhere a few, so that this is tested too. */
const TIMED_POINTS = reason === undefined ? Object.keys(OPERATIONS).length : POINTS;

test(
  `killed from outside at ${String(TIMED_POINTS)} seeded times, nothing acknowledged is lost and nothing is left over`,
  { timeout: 280_000 },
  async () => {
    const random = seeded(SEED);
    const names = Object.keys(OPERATIONS);
    const durations = new Map<string, number>();
    for (const name of names) {
      const { durationMs, failures } = await runOperation(name, await templates.copyOf(name));
      expect(failures, name).toEqual([]);
      durations.set(name, durationMs);
    }
    const points = Array.from({ length: TIMED_POINTS }, (_, index) => ({
      name: names[index % names.length] ?? '',
      share: random(),
    }));
    const problems: string[] = [];
    await inLanes(points, async ({ name, share }) => {
      const problem = await runTimed(templates, name, share * (durations.get(name) ?? 0));
      if (problem !== undefined) problems.push(`${name} after ${share.toFixed(3)} of its time\n${problem}`);
    });
    expect(problems).toEqual([]);
  },
);
