import { spawnSync } from 'node:child_process';
import { makeDurable } from '../harness/durable.ts';
import { runProcess } from '../harness/measured-process.ts';
import type { ProcessOptions, Sample } from '../harness/measured-process.ts';

/** What a program says of its version; `undefined` when it is not on PATH. */
export function findVersion(command: string, args: readonly string[] = ['--version']): string | undefined {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) return undefined;
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

/** Runs a program and makes its result durable; both are in the time. */
export async function runDurably(
  command: string,
  args: readonly string[],
  result: string,
  options?: ProcessOptions,
): Promise<Sample> {
  const sample = await runProcess(command, args, options);
  const startMs = performance.now();
  makeDurable(result);
  return { ...sample, elapsedMs: sample.elapsedMs + performance.now() - startMs };
}
