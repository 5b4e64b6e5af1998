import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { storeFailure } from './corpus.ts';

export interface FuzzResult {
  readonly executions: number;
  readonly kept: number;
  readonly grownKiB: number;
  /** What went wrong, and where the input is stored. */
  readonly failure: { readonly reason: string; readonly path: string } | undefined;
}

interface Message {
  readonly type: 'progress' | 'done' | 'failed';
  readonly executions?: number;
  readonly kept?: number;
  readonly grownKiB?: number;
  readonly reason?: string;
  readonly input?: string;
}

/** A process that says nothing for so long hangs in an input. */
const HANGS_AFTER_MS = 20_000;
/** So small that V8 has to clean up all the time: what grows then is held, by a parser or by what one input needs. */
const HEAP_OPTIONS = ['--max-old-space-size=48', '--max-semi-space-size=2'];

/** Fuzzes one target for a time, in a process with a small heap. An input that fails, hangs or kills the process is stored. */
export async function fuzz(
  target: string,
  options: { readonly seconds: number; readonly seed: number; readonly keep: boolean },
): Promise<FuzzResult> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'coffer-fuzz-'));
  const currentPath = join(folder, 'current');
  const child = spawn(
    process.execPath,
    [
      ...HEAP_OPTIONS,
      '--conditions=@coffer/source',
      join(import.meta.dirname, 'fuzz-process.ts'),
      target,
      String(options.seconds),
      String(options.seed),
      currentPath,
      options.keep ? 'keep' : '',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = once(child, 'close');
  let last: Message = { type: 'progress' };
  let isHung = false;
  const hangs = (): NodeJS.Timeout =>
    setTimeout(() => {
      isHung = true;
      child.kill('SIGKILL');
    }, HANGS_AFTER_MS);
  let timer = hangs();
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      clearTimeout(timer);
      timer = hangs();
      last = { ...last, ...(JSON.parse(line) as Message) };
    }
    await closed;
    const { executions = 0, kept = 0, grownKiB = 0 } = last;
    const failure = last.type === 'done' ? undefined : describe(target, last, isHung, currentPath);
    return { executions, kept, grownKiB, failure };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(
  target: string,
  last: Message,
  isHung: boolean,
  currentPath: string,
): { readonly reason: string; readonly path: string } {
  const reason = isHung ? 'it hangs' : (last.reason ?? 'the process ended in the middle');
  const input = last.input === undefined ? currentInput(currentPath) : Buffer.from(last.input, 'base64');
  return { reason, path: storeFailure(target, input) };
}

/** The input that was run when the process ended. */
function currentInput(path: string): Uint8Array {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  return bytes.length < 4 ? bytes : bytes.subarray(4, 4 + bytes.readUInt32BE(0));
}
