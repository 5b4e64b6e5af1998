import type { Sample } from '../harness/measured-process.ts';
import { runProcess } from '../harness/measured-process.ts';
import type { BenchVault } from './vaults.ts';

/** What `task-child.ts` does and measures, in a process that has done nothing before. */
export type Task = BenchVault & { readonly profile?: boolean } & (
    | { readonly kind: 'add'; readonly paths: readonly string[] }
    | { readonly kind: 'get'; readonly items: readonly string[]; readonly destination: string }
    | { readonly kind: 'check' }
    | { readonly kind: 'open' }
  );

export interface TaskResult extends Sample {
  readonly elapsedMs: number;
  /** Time to load @coffer/vault, and to open the vault with everything that is loaded then. */
  readonly loadMs: number;
  readonly openMs: number;
  /** CPU seconds by stage, of all threads that run JavaScript; when asked to profile. */
  readonly stages?: Readonly<Record<string, number>>;
}

/** Runs a task through @coffer/vault in a fresh process; time and CPU are those of the task alone, memory is that of the process. */
export async function runTask(task: Task): Promise<TaskResult> {
  const script = new URL('./task-child.ts', import.meta.url).pathname;
  const { stdout } = await runProcess(process.execPath, [script, JSON.stringify(task)]);
  return JSON.parse(stdout) as TaskResult;
}
