import { mkdirSync, rmSync } from 'node:fs';
import { inspect } from '../inspect.ts';
import { inLanes } from '../lanes.ts';
import { operationOf } from '../operations/table.ts';
import type { Stage } from '../stage.ts';
import type { Templates } from '../templates.ts';
import type { Step } from './effects.ts';
import { QUICK } from './losses.ts';
import type { Limits } from './losses.ts';
import { recordSteps } from './record-steps.ts';
import { powerLossStates } from './states.ts';

export interface PowerLossResult {
  readonly operation: string;
  readonly effects: number;
  readonly syncs: number;
  /** Distinct disks that were made and opened. */
  readonly states: number;
  /** Before which syncs a choice of what may be lost was tried, not all of it: what is synced then, below the disk. */
  readonly sampled: readonly string[];
  readonly problems: readonly string[];
}

/** Makes every state that a loss of power may leave, opens it, and holds it against the invariants. */
export async function checkOperation(
  templates: Templates,
  operation: string,
  seed: number,
  limits: Limits = QUICK,
): Promise<PowerLossResult> {
  const { before, steps } = await recordSteps(templates, operation);
  const problems: string[] = [];
  const sampled = new Set<number>();
  let states = 0;
  const all = powerLossStates(before, steps, seed, limits);
  await inLanes(all, async ({ tree, said, cut, isExhaustive, pending }) => {
    if (!isExhaustive) sampled.add(cut);
    const index = states++;
    const stage = emptyStage(await templates.of(operation), `${operation}-power-${String(index)}`);
    try {
      tree.write(stage.disk);
      stage.makeFolders();
      await inspect(operationOf(operation), stage, said, {
        thorough: false,
        oldSecretFirst: index % 2 === 0,
      });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      problems.push(
        `${operation}, state ${String(index)}, power lost before step ${String(cut)}, acknowledged: ${[...said].join(', ') || 'nothing'}; not durable: ${pending.join(', ')}\n${tree.describe().join('\n')}\n${problem}`,
      );
    } finally {
      rmSync(stage.disk, { recursive: true, force: true });
    }
  });
  const count = (kind: Step['kind']): number => steps.filter((step) => step.kind === kind).length;
  return {
    operation,
    effects: count('effect'),
    syncs: count('sync'),
    states,
    sampled: [...sampled].sort((a, b) => a - b).map((cut) => labelOf(steps[cut])),
    problems,
  };
}

function labelOf(step: Step | undefined): string {
  return step?.kind === 'sync' ? step.label : 'the end';
}

function emptyStage(template: Stage, name: string): Stage {
  const stage = template.beside(name);
  mkdirSync(stage.disk);
  return stage;
}
