import { Readable, Writable } from 'node:stream';
import { main } from '../../packages/cli/src/index.ts';
import type { Host, OutputStream } from '../../packages/cli/src/index.ts';

export interface CommandLineResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing that a small vault is asked for takes as long. */
const HANGS_AFTER_MS = 60_000;

/** Runs a command line in this process, without a terminal. What hangs is interrupted, and fails. */
export async function runCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<CommandLineResult> {
  const stdout = new Sink();
  const stderr = new Sink();
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Error('it hangs'));
  }, HANGS_AFTER_MS);
  const host: Host = {
    stdin: Readable.from([Buffer.from('from stdin')]),
    stdout,
    stderr,
    env,
    platform: 'linux',
    homeDirectory: env['HOME'] ?? '/nonexistent',
    signal: controller.signal,
    now: () => Date.now(),
    openTerminal: () => undefined,
  };
  try {
    const code = await main(args, host);
    // It ended because it was interrupted.
    if (controller.signal.aborted) throw new Error('it hangs');
    return { code, stdout: stdout.text, stderr: stderr.text };
  } finally {
    clearTimeout(timer);
  }
}

class Sink extends Writable implements OutputStream {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
