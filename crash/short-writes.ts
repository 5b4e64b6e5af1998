import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from './inspect.ts';
import { checkRun, messageOf } from './matrix.ts';
import { operationOf } from './operations/table.ts';
import { runOperation } from './run-operation.ts';
import type { Templates } from './templates.ts';

export type ShortWrites =
  | { readonly library: string; readonly reason?: never }
  /** Why there is none. */
  | { readonly library?: never; readonly reason: string };

/** Compiles what cuts writes short to a library in `folder`. */
export function compileShortWrites(folder: string): ShortWrites {
  if (process.platform !== 'linux') return { reason: 'cutting writes short is for Linux' };
  const library = join(folder, 'short-writes.so');
  const source = join(import.meta.dirname, 'short-writes.c');
  const { error, status, stderr } = spawnSync(
    'cc',
    ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'],
    {
      encoding: 'utf8',
    },
  );
  if (error !== undefined) return { reason: 'there is no C compiler' };
  return status === 0 ? { library } : { reason: `the C compiler says ${stderr}` };
}

export interface ShortWritesOutcome {
  /** Whether any write was cut short. */
  readonly reached: boolean;
  readonly problem: string | undefined;
}

/** Runs an operation with every write cut short: it must go on with the rest, and do what it does otherwise. */
export async function runWithShortWrites(
  templates: Templates,
  operation: string,
  library: string,
): Promise<ShortWritesOutcome> {
  const stage = await templates.copyOf(operation);
  const log = `${stage.disk}.short`;
  try {
    const environment = { LD_PRELOAD: library, COFFER_SHORT_BELOW: stage.disk, COFFER_SHORT_LOG: log };
    const run = await runOperation(operation, stage, { environment });
    checkRun(run, true);
    await inspect(operationOf(operation), stage, run.said, { thorough: false, oldSecretFirst: false });
    return { reached: existsSync(log), problem: undefined };
  } catch (error) {
    return { reached: existsSync(log), problem: messageOf(error) };
  } finally {
    rmSync(stage.disk, { recursive: true, force: true });
    rmSync(log, { force: true });
  }
}
