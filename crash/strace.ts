import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The system calls that change what is on a disk, or make it durable, or may (`openat` makes files). */
export const TRACED: readonly string[] = [
  ...['openat', 'write', 'pwrite64', 'pwritev', 'writev', 'ftruncate', 'truncate', 'fallocate', 'close'],
  ...[
    'fsync',
    'fdatasync',
    'sync_file_range',
    'rename',
    'renameat',
    'renameat2',
    'link',
    'linkat',
    'symlink',
  ],
  ...['unlink', 'unlinkat', 'rmdir', 'mkdir', 'mkdirat', 'fchmod', 'chmod', 'utimensat', 'copy_file_range'],
  ...['sendfile', 'ioctl'],
  // Change nothing, but say whose descriptors are meant.
  ...['clone', 'clone3', 'fork', 'vfork'],
];

/** Which threads to trace: one of them alone, or all, with those that it makes later. */
export type Target = { readonly thread: number } | { readonly process: number };

export interface Tracer {
  /** Resolves when strace has ended, which it does with what it traces. */
  readonly ended: Promise<void>;
  /** Ends it in any case. */
  stop(): void;
}

/** Attaches strace and resolves once it counts system calls. `expressions` are those of its option `-e`. */
export async function attach(
  target: Target,
  expressions: readonly string[],
  options: readonly string[],
): Promise<Tracer> {
  const ids = 'thread' in target ? ['-p', String(target.thread)] : ['-f', '-p', String(target.process)];
  const each = expressions.flatMap((expression) => ['-e', expression]);
  const child = spawn('strace', [...options, ...each, ...ids], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close').then(() => undefined);
  await attached(child);
  return {
    ended,
    stop: () => {
      child.kill('SIGKILL');
    },
  };
}

async function attached(child: ChildProcess): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (data: string) => {
      text += data;
      if (text.includes('attached')) resolve();
    });
    child.once('close', () => {
      reject(new Error(`strace ended before it was attached: ${text}`));
    });
    child.once('error', reject);
  });
}

/** Why nothing can be traced here; `undefined` when it can. */
export async function whyNotTraced(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'strace is for Linux';
  const { error } = spawnSync('strace', ['-V'], { stdio: 'ignore' });
  if (error !== undefined) return 'strace is not installed';
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    // Yama (kernel.yama.ptrace_scope) may forbid to trace a process that one has not started. Then strace says so and ends.
    const tracer = await attach({ thread: sleeper.pid ?? 0 }, [], ['-o', '/dev/null']);
    tracer.stop();
    return undefined;
  } catch (error) {
    return `strace cannot attach to a process: ${error instanceof Error ? error.message.trim() : String(error)}`;
  } finally {
    sleeper.kill('SIGKILL');
  }
}
