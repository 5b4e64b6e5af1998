import { type ChildProcess, spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';

const BIN = join(import.meta.dirname, '..', '..', 'src', 'bin.ts');
const DRIVER = join(import.meta.dirname, 'terminal-driver.py');

/** The command line that starts the real program from its source. */
export const COFFER: readonly string[] = [process.execPath, '--conditions=@coffer/source', BIN];

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | NodeJS.Signals;
}

type Environment = Readonly<Record<string, string>>;

/** Starts the program in a session of its own, so that it has no terminal even if the tests have one. */
export function startCoffer(
  args: readonly string[],
  options: {
    env?: Environment;
    cwd?: string;
    stdio?: SpawnOptions['stdio'];
    command?: readonly string[];
  } = {},
): ChildProcess {
  const [node = '', ...before] = options.command ?? COFFER;
  return spawn(node, [...before, ...args], {
    cwd: options.cwd,
    env: cleanEnvironment(options.env),
    stdio: options.stdio ?? 'pipe',
    detached: true,
  });
}

/** Runs the program to its end. */
export async function runCoffer(
  args: readonly string[],
  options: { env?: Environment; cwd?: string; input?: string | Uint8Array } = {},
): Promise<Ended> {
  const child = startCoffer(args, options);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  return await ended(child);
}

/** Resolves when the child has ended and all its output is read. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const closed = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'SIGKILL');
    });
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    closed,
  ]);
  return { stdout, stderr, code };
}

interface Step {
  /** A regular expression: what has to appear on the terminal first. */
  readonly wait: string;
  readonly type?: string;
  readonly signal?: NodeJS.Signals;
  readonly hangUp?: boolean;
}

export interface TerminalRun {
  /** Which of the three are the terminal; the others are pipes. */
  readonly terminal?: readonly ('stdin' | 'stdout' | 'stderr')[];
  readonly steps?: readonly Step[];
  readonly env?: Environment;
  readonly input?: string;
  readonly columns?: number;
}

export interface TerminalEnded {
  /** Everything the terminal got. */
  readonly screen: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | 'timed out';
  readonly stepsLeft: number;
}

/** Runs a command in a pseudo-terminal. */
export async function runInTerminal(
  command: readonly string[],
  run: TerminalRun = {},
): Promise<TerminalEnded> {
  const { terminal = ['stdin', 'stdout', 'stderr'], steps = [], env = {}, input = '', columns = 80 } = run;
  const encoded = Buffer.from(input).toString('base64');
  const job = { command, terminal, steps, env, columns, input: encoded };
  const child = spawn('python3', [DRIVER, JSON.stringify(job)], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const result: unknown = JSON.parse((await ended(child)).stdout);
  return result as TerminalEnded;
}

/** Whether python3 can give us a pseudo-terminal here. */
export const hasPty: boolean = spawnSync('python3', ['-c', 'import pty, termios']).status === 0;

/** Our environment without what would change how the program behaves. */
export function cleanEnvironment(env: Environment = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(COFFER_|CI$|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|NODE_V8_COVERAGE$|VITEST|TERM$)/.test(name),
  );
  return { ...Object.fromEntries(kept), TERM: 'xterm', ...env };
}
