import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DatabaseError } from './errors.ts';

// Node runs the source as it is; in `dist` the compiler has rewritten imports, but no URLs.
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export interface OwnProcessOptions {
  /** The module beside this one that is run. */
  readonly module: 'page-scan-process' | 'copy-process';
  /** Written to its standard input, and zeroed: arguments and environment of a process can be read by others. */
  readonly request: Uint8Array;
  /** Kills it; its reason is thrown. */
  readonly signal: AbortSignal | undefined;
  /** What ended early, in messages. */
  readonly what: string;
}

/**
 * Starts a module of this package as a process of its own and yields the lines that it says. It is killed when nobody reads on, and has ended when this
 * returns or throws. Throws `FAILED` after its last line: who has the answer reads no further.
 */
export async function* askOwnProcess({
  module,
  request,
  signal,
  what,
}: OwnProcessOptions): AsyncGenerator<string, never, undefined> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`./${module}${extension}`, import.meta.url))],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: childEnvironment(),
      windowsHide: true,
    },
  );
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', kill, { once: true });
  const closed = closeOf(child);
  try {
    await sendRequest(child.stdin, request);
    yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
    const reason = await closed;
    throw new DatabaseError('FAILED', `${what} ended early: ${reason}`);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
    kill();
    await closed;
  }
}

/** Options meant for this process (a debugger's port, loaders, coverage) are not for that one. */
function childEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  delete environment['NODE_OPTIONS'];
  delete environment['NODE_V8_COVERAGE'];
  // Inside Electron `execPath` is the application.
  environment['ELECTRON_RUN_AS_NODE'] = '1';
  return environment;
}

/** Why it ended; never rejects. */
function closeOf(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.once('error', (error) => {
      done(error.message);
    });
    child.once('close', (code, signal) => {
      done(signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
    });
  });
}

/** The input is left open: when it ends, because this process is gone, the child ends too. */
function sendRequest(stdin: Writable, request: Uint8Array): Promise<void> {
  return new Promise((done) => {
    // A child that could not start or died closes its input: why, its end tells.
    stdin.on('error', () => {
      request.fill(0);
      done();
    });
    stdin.write(request, () => {
      request.fill(0);
      done();
    });
  });
}
