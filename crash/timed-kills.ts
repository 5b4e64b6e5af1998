import { rmSync } from 'node:fs';
import { inspect } from './inspect.ts';
import { despiteKeyringCrashes } from './keyring.ts';
import { checkRun, messageOf } from './matrix.ts';
import { operationOf } from './operations/table.ts';
import { runOperation } from './run-operation.ts';
import type { Templates } from './templates.ts';

const TRIES = 8;

export interface TimedOutcome {
  /** Whether it was killed: a run may be over before its time, also when it is tried again with less. */
  readonly reached: boolean;
  /** What is wrong; `undefined` when every invariant held. */
  readonly problem: string | undefined;
}

/**
 * Kills a run from outside after a time, where there is no strace, and examines what it leaves. One that has ended by itself before is tried again with less time than it took: the time was that of a
 * machine that was busier.
 */
export async function runTimed(
  templates: Templates,
  operation: string,
  killAfterMs: number,
): Promise<TimedOutcome> {
  let outcome: TimedOutcome = { reached: false, problem: undefined };
  let afterMs = killAfterMs;
  for (let attempt = 0; attempt < TRIES && !outcome.reached && outcome.problem === undefined; attempt++) {
    const killAfter = afterMs;
    const { durationMs, ...others } = await despiteKeyringCrashes(
      () => runOnce(templates, operation, killAfter),
      ({ problem }) => problem,
    );
    outcome = others;
    afterMs = 0.7 * Math.min(afterMs, durationMs);
  }
  return outcome;
}

async function runOnce(
  templates: Templates,
  operation: string,
  killAfterMs: number,
): Promise<TimedOutcome & { readonly durationMs: number }> {
  const stage = await templates.copyOf(operation);
  let reached = false;
  let durationMs = killAfterMs;
  try {
    const run = await runOperation(operation, stage, { killAfterMs });
    reached = run.signal === 'SIGKILL';
    ({ durationMs } = run);
    checkRun(run, true);
    const oldSecretFirst = Math.floor(killAfterMs) % 2 === 0;
    await inspect(operationOf(operation), stage, run.said, { thorough: false, oldSecretFirst });
    return { reached, problem: undefined, durationMs };
  } catch (error) {
    return { reached, problem: messageOf(error), durationMs };
  } finally {
    rmSync(stage.disk, { recursive: true, force: true });
  }
}
