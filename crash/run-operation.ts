import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { keychainFor } from './keyring.ts';
import { operationOf } from './operations/table.ts';
import type { Stage } from './stage.ts';
import { attach } from './strace.ts';
import type { Target, Tracer } from './strace.ts';

const CHILD = join(import.meta.dirname, 'operation-child.ts');
/** Against what hangs, also on a machine that is busy with many other things. */
const TIMEOUT_MS = 300_000;

/** The child's threads: the one that runs JavaScript and SQLite, and the one for asynchronous file system calls. */
export interface Threads {
  readonly main: number;
  readonly pool: number;
}

export interface Tracing {
  readonly target: (threads: Threads) => Target;
  readonly expressions: readonly string[];
  readonly options: readonly string[];
}

export interface Run {
  readonly threads: Threads;
  /** The words that it acknowledged. */
  readonly said: ReadonlySet<string>;
  /** The errors that it reported: a code and a message each. */
  readonly failures: readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  /** What came on stderr: nothing, ever. */
  readonly stderr: string;
  readonly timedOut: boolean;
  /** From the moment it was told to begin. */
  readonly durationMs: number;
}

export interface Disturbance {
  readonly tracing?: Tracing;
  readonly killAfterMs?: number;
  /** Added to the environment of the child. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What to open the vault with, the first that does; what the operation says when not given. */
  readonly secrets?: readonly string[];
}

/** Runs an operation in a process of its own, under strace or killed after a time or undisturbed. */
export async function runOperation(
  operation: string,
  stage: Stage,
  disturbance: Disturbance = {},
): Promise<Run> {
  await using keychain = await keychainFor(operationOf(operation), stage);
  const child = spawn(
    process.execPath,
    [
      '--conditions=@coffer/source',
      CHILD,
      operation,
      stage.disk,
      stage.shelf,
      ...(disturbance.secrets ?? []),
    ],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...keychain.env,
        TMPDIR: stage.tmp,
        UV_THREADPOOL_SIZE: '1',
        // Starting takes a third of the time.
        NODE_COMPILE_CACHE: join(stage.shelf, 'code'),
        ...disturbance.environment,
      },
    },
  );
  const lines: string[] = [];
  let stderr = '';
  let timedOut = false;
  let tracer: Tracer | undefined;
  let killer: NodeJS.Timeout | undefined;
  let threads: Threads = { main: 0, pool: 0 };
  let startedAt = 0;
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const timeout = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, TIMEOUT_MS);
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (!line.startsWith('ready')) continue;
      threads = { main: child.pid ?? 0, pool: Number(line.slice('ready '.length)) };
      const { tracing, killAfterMs } = disturbance;
      if (tracing !== undefined)
        tracer = await attach(tracing.target(threads), tracing.expressions, tracing.options);
      startedAt = performance.now();
      child.stdin.end('go\n');
      if (killAfterMs !== undefined) killer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    }
    const [exitCode, signal] = await ended;
    const durationMs = performance.now() - startedAt;
    await tracer?.ended;
    const after = (prefix: string): string[] =>
      lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
    const said = new Set(after('said '));
    return { threads, said, failures: after('failed '), signal, exitCode, stderr, timedOut, durationMs };
  } finally {
    clearTimeout(timeout);
    clearTimeout(killer);
    tracer?.stop();
    child.kill('SIGKILL');
  }
}
