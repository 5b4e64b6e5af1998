import { existsSync, readFileSync, rmSync } from 'node:fs';
import { diskCalls } from './disk-calls.ts';
import type { DiskCall } from './disk-calls.ts';
import { inspect } from './inspect.ts';
import { describePoint, hasInjected, pointsOf, tracingAt } from './kill-points.ts';
import type { KillPoint, Points } from './kill-points.ts';
import { despiteKeyringCrashes } from './keyring.ts';
import { isVaultMade } from './operations/is-made.ts';
import { operationOf } from './operations/table.ts';
import { runOperation } from './run-operation.ts';
import type { Run } from './run-operation.ts';
import { Stage } from './stage.ts';
import { TRACED } from './strace.ts';
import { RECORDING_OPTIONS, parseSystemCalls } from './system-calls.ts';
import type { Templates } from './templates.ts';

export const KILL = 'signal=SIGKILL';

/** Something to do to a run of an operation: one cell of the matrix. */
export interface Case {
  readonly operation: string;
  readonly at: KillPoint;
  /** `signal=SIGKILL`, or `error=` and what the call fails with instead of doing anything; with a `+`, all later ones too. */
  readonly action: string;
  /** Where the opening that follows is killed as well, by its share of that opening's kill points, 0 to 1. */
  readonly thenAt?: number;
}

export interface Outcome {
  readonly case: Case;
  /** Whether it came to that, as the signal or strace's log says: not every run makes the same calls, with several threads. */
  readonly reached: boolean;
  /** Whether the opening that followed was killed too; `undefined` when that was not to be, or there was no vault to open. */
  readonly reachedThen: boolean | undefined;
  /** What is wrong; `undefined` when every invariant held. */
  readonly problem: string | undefined;
}

export interface Recording {
  readonly run: Run;
  readonly calls: readonly DiskCall[];
  readonly points: Points;
}

/** Runs an operation undisturbed, on a stage that is changed by it, and writes down what it does to the disk. */
export async function record(
  operation: string,
  stage: Stage,
  secrets: readonly string[] = [],
): Promise<Recording> {
  const path = `${stage.disk}.strace`;
  const run = await runOperation(operation, stage, {
    secrets,
    tracing: {
      target: ({ main }) => ({ process: main }),
      expressions: [`trace=${TRACED.join(',')}`],
      options: RECORDING_OPTIONS(path),
    },
  });
  const calls = diskCalls(parseSystemCalls(readFileSync(path, 'utf8')), stage.disk);
  rmSync(path);
  return { run, calls, points: pointsOf(calls, run.threads) };
}

/** A point that a run has not come to, because its threads took another turn, is tried again so many times. */
const MAX_TRIES = 3;

/** Runs one case on a copy of the operation's template and examines what it leaves, whether it was reached or not. */
export async function runCase(templates: Templates, testCase: Case, thorough: boolean): Promise<Outcome> {
  const tryIt = (): Promise<Outcome> =>
    despiteKeyringCrashes(
      () => tryCase(templates, testCase, thorough),
      ({ problem }) => problem,
    );
  let outcome = await tryIt();
  for (let tries = 1; tries < MAX_TRIES && !outcome.reached && outcome.problem === undefined; tries++)
    outcome = await tryIt();
  return outcome;
}

async function tryCase(templates: Templates, testCase: Case, thorough: boolean): Promise<Outcome> {
  const { operation, at, action, thenAt } = testCase;
  const stage = await templates.copyOf(operation);
  const log = `${stage.disk}.injected`;
  let reachedThen: boolean | undefined;
  let reached = false;
  try {
    const run = await runOperation(operation, stage, { tracing: tracingAt(at, action, stage.disk, log) });
    const isKill = action === KILL;
    reached = isKill ? run.signal === 'SIGKILL' : hasInjected(log);
    checkRun(run, isKill);
    if (thenAt !== undefined && existsSync(stage.vault))
      reachedThen = await killOpening(templates, stage, operation, thenAt);
    // Which of two secrets is tried first makes a difference to what is found; half of the cases each.
    const oldSecretFirst = (at.nth + at.call.length) % 2 === 0;
    await inspect(operationOf(operation), stage, run.said, { thorough, oldSecretFirst });
    return { case: testCase, reached, reachedThen, problem: undefined };
  } catch (error) {
    return { case: testCase, reached, reachedThen, problem: messageOf(error) };
  } finally {
    rmSync(stage.disk, { recursive: true, force: true });
    rmSync(log, { force: true });
  }
}

/** The opening that finds what a crash left is killed in turn. Whether it came to that; `undefined` when it has no kill points. */
async function killOpening(
  templates: Templates,
  stage: Stage,
  operation: string,
  share: number,
): Promise<boolean | undefined> {
  const { before = [], after = [] } = operationOf(operation).secrets ?? {};
  const secrets = [...new Set([...before, ...after])];
  const opening = openingOf(operation, stage);
  const rehearsal = templates.copy(stage);
  let points: readonly KillPoint[];
  try {
    points = (await record(opening, rehearsal, secrets)).points.kills;
  } finally {
    rmSync(rehearsal.disk, { recursive: true, force: true });
  }
  const at = points[Math.floor(share * points.length)];
  if (at === undefined) return undefined;
  const tracing = tracingAt(at, KILL, stage.disk, '/dev/null');
  const run = await runOperation(opening, stage, { tracing, secrets });
  checkRun(run, true);
  return run.signal === 'SIGKILL';
}

/** What a person does after a crash: open the vault, or, when there is none yet, make it again. */
function openingOf(operation: string, stage: Stage): string {
  return isVaultMade(operationOf(operation), stage) ? 'open' : operation;
}

/** However a run was disturbed: it ends by itself or by the kill, in time, and every failure is one that we have a code for. */
export function checkRun(run: Run, isKill: boolean): void {
  if (run.timedOut) throw new Error('the process hung');
  if (run.stderr !== '') throw new Error(`the process said ${run.stderr}`);
  if (run.signal === 'SIGKILL' && isKill) return;
  if (run.signal !== null || run.exitCode !== 0)
    throw new Error(`the process ended with ${run.signal ?? String(run.exitCode)}`);
  const bug = run.failures.find((failure) => failure.startsWith('BUG'));
  if (bug !== undefined) throw new Error(`a failure without a code: ${bug}`);
  if (isKill && run.failures.length > 0)
    throw new Error(`undisturbed, it failed: ${run.failures.join('; ')}`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function describeCase({ operation, at, action, thenAt }: Case): string {
  const then = thenAt === undefined ? '' : ` --then ${thenAt.toFixed(4)}`;
  return `--operation ${operation} --at ${describePoint(at)} --action ${action}${then}`;
}
