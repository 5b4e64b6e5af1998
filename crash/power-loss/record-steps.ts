import { rmSync } from 'node:fs';
import { despiteKeyringCrashes } from '../keyring.ts';
import { record } from '../matrix.ts';
import type { Recording } from '../matrix.ts';
import type { Templates } from '../templates.ts';
import { DiskTree } from './disk-tree.ts';
import type { Step } from './effects.ts';
import { interpret } from './interpret.ts';

/** An undisturbed run of an operation: the disk before it, and what it does to it, one step after the other. */
export interface RecordedSteps extends Recording {
  readonly before: DiskTree;
  readonly steps: readonly Step[];
}

/** Records an operation, and what it does to the disk. Throws when the model does not end with what is really there. */
export async function recordSteps(templates: Templates, operation: string): Promise<RecordedSteps> {
  const recorded = await despiteKeyringCrashes(
    () => recordOnce(templates, operation),
    ({ run }) => run.failures.join(),
  );
  const { failures } = recorded.run;
  if (failures.length > 0) throw new Error(`${operation} failed: ${failures.join('; ')}`);
  return recorded;
}

async function recordOnce(templates: Templates, operation: string): Promise<RecordedSteps> {
  const stage = await templates.copyOf(operation);
  try {
    const before = DiskTree.read(stage.disk);
    const recording = await record(operation, stage);
    const { steps, live } = interpret(recording.calls, stage.disk, before);
    const real = DiskTree.read(stage.disk);
    if (live.digest() !== real.digest()) {
      const [modelled, found] = [live.describe().join('\n'), real.describe().join('\n')];
      throw new Error(`${operation}: the model ends with\n${modelled}\nand the disk with\n${found}`);
    }
    return { ...recording, before, steps };
  } finally {
    rmSync(stage.disk, { recursive: true });
  }
}
