import { spawn } from 'node:child_process';
import { endedChildrenCpuSeconds } from './cpu-time.ts';
import { peakMemoryBytes } from './peak-memory.ts';

/** One timed run. */
export interface Sample {
  readonly elapsedMs: number;
  readonly cpuSeconds?: number | undefined;
  readonly peakMemoryBytes?: number | undefined;
}

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Exit codes that are no failure, besides 0. */
  readonly alsoFine?: readonly number[];
}

export interface ProcessResult extends Sample {
  readonly stdout: string;
}

/** How often the peak of memory is read; it only grows, so the last reading before the end counts. */
const POLL_MS = 10;

/** Runs a program to its end. Time is from before it is started until it has ended; CPU time is in steps of 10 ms. */
export async function runProcess(
  command: string,
  args: readonly string[],
  { env = {}, cwd, alsoFine = [] }: ProcessOptions = {},
): Promise<ProcessResult> {
  const cpuBefore = endedChildrenCpuSeconds();
  const startMs = performance.now();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let peak: number | undefined;
  const poll = setInterval(() => {
    if (child.pid !== undefined) peak = peakMemoryBytes(child.pid) ?? peak;
  }, POLL_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let elapsedMs = 0;
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => (elapsedMs = performance.now() - startMs));
      child.once('close', (exitCode) => {
        resolve(exitCode ?? -1);
      });
    });
    if (code !== 0 && !alsoFine.includes(code)) {
      throw new Error(
        `${command} ended with ${String(code)}: ${stderr.trim().split('\n').slice(-3).join(' / ')}`,
      );
    }
  } finally {
    clearInterval(poll);
  }
  const cpuAfter = endedChildrenCpuSeconds();
  const cpuSeconds = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  return { elapsedMs, cpuSeconds, peakMemoryBytes: peak, stdout };
}
