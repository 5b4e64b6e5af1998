import { mkdirSync, rmSync } from 'node:fs';
import { inspect } from '../inspect.ts';
import { inLanes } from '../lanes.ts';
import { record } from '../matrix.ts';
import { operationOf } from '../operations/table.ts';
import type { Stage } from '../stage.ts';
import type { Templates } from '../templates.ts';
import { DiskTree } from './disk-tree.ts';
import type { Step } from './effects.ts';
import { interpret } from './interpret.ts';
import { powerLossStates } from './states.ts';

export interface PowerLossResult {
  readonly operation: string;
  readonly effects: number;
  readonly syncs: number;
  /** Distinct disks that were made and opened. */
  readonly states: number;
  /** Before how many syncs a choice of what may be lost was tried, not all of it. */
  readonly sampledMoments: number;
  readonly problems: readonly string[];
}

/** Records an operation, and what it does to the disk. Throws when the model does not end with what is really there. */
async function recordSteps(
  templates: Templates,
  operation: string,
): Promise<{ before: DiskTree; steps: Step[] }> {
  const stage = await templates.copyOf(operation);
  try {
    const before = DiskTree.read(stage.disk);
    const { run, calls } = await record(operation, stage);
    if (run.failures.length > 0) throw new Error(`${operation} failed: ${run.failures.join('; ')}`);
    const { steps, live } = interpret(calls, stage.disk, before);
    const real = DiskTree.read(stage.disk);
    if (live.digest() !== real.digest()) {
      const [modelled, found] = [live.describe().join('\n'), real.describe().join('\n')];
      throw new Error(`${operation}: the model ends with\n${modelled}\nand the disk with\n${found}`);
    }
    return { before, steps };
  } finally {
    rmSync(stage.disk, { recursive: true });
  }
}

/** Makes every state that a loss of power may leave, opens it, and holds it against the invariants. */
export async function checkOperation(
  templates: Templates,
  operation: string,
  seed: number,
): Promise<PowerLossResult> {
  const { before, steps } = await recordSteps(templates, operation);
  const problems: string[] = [];
  const sampled = new Set<number>();
  let states = 0;
  const all = powerLossStates(before, steps, seed);
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
    sampledMoments: sampled.size,
    problems,
  };
}

function emptyStage(template: Stage, name: string): Stage {
  const stage = template.beside(name);
  mkdirSync(stage.disk);
  return stage;
}
