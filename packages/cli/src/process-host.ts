import { homedir, userInfo } from 'node:os';
import { isAbsolute } from 'node:path';
import process from 'node:process';
import { CliError, type CliErrorCode } from './cli-error.ts';
import type { Host } from './host.ts';
import { openTerminal } from './input/terminal.ts';

/** The host of the real program. It listens for SIGINT and SIGTERM from now on. */
export function createProcessHost(): Host {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    platform: process.platform,
    homeDirectory: homeDirectory(),
    signal: abortOnSignals(),
    now: () => Date.now(),
    openTerminal: () => openTerminal(process.platform),
  };
}

/** An empty or relative HOME would put the vault wherever the command is run: then the user database has the last word. */
function homeDirectory(): string {
  const home = homedir();
  return isAbsolute(home) ? home : userInfo().homedir;
}

/**
 * The first signal asks the command to stop and leave the vault clean; the second one ends the process at once, which
 * the vault survives as it does a crash.
 */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  const listen = (signal: NodeJS.Signals, code: CliErrorCode, message: string): void => {
    process.on(signal, () => {
      if (controller.signal.aborted) endAtOnce(signal);
      controller.abort(new CliError(code, message));
    });
  };
  listen('SIGINT', 'INTERRUPTED', 'interrupted');
  listen('SIGTERM', 'TERMINATED', 'ended by a signal');
  return controller.signal;
}

/** By the signal itself: `process.exit` would wait for a read that never ends, of a FIFO for example. */
function endAtOnce(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
