import { spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { extname } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { AgentState } from './agent-methods.ts';
import { keyfileOfCaller } from '../local-arguments.ts';
import { thisProcessElsewhere } from '../caller.ts';
import { decodeAnswer, encodeStart } from './start-message.ts';
import type { StartMessage } from './start-message.ts';

/** What an agent needs of the environment: where its sockets are, and how to reach the keychain. Nothing else is handed on. */
const KEPT_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'APPDATA',
  'LOCALAPPDATA',
  'SystemRoot',
  'TEMP',
  'TMP',
  'USERPROFILE',
];

/**
 * Starts an agent, a process of its own that outlives this one, and resolves when it serves the vault. The secret goes through a pipe; the agent opens the vault itself. Throws
 * what keeps it from that: `WRONG_KEY`, `IN_USE`, …
 */
export async function startAgent(message: StartMessage, signal?: AbortSignal): Promise<AgentState> {
  const { command, args } = agentCommand();
  const child = spawn(command, args, {
    // Not where the command is: a disk could not be unmounted.
    cwd: process.platform === 'win32' ? homedir() : '/',
    env: keptEnvironment(),
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
    detached: true,
    windowsHide: true,
  });
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
  });
  failed.catch(() => undefined);
  const { stdin } = child;
  if (stdin === null) throw new Error('the agent has no standard input');
  // It says itself why it ended.
  stdin.on('error', () => undefined);
  const [secret] = keyfileOfCaller(0)([message.secret], thisProcessElsewhere());
  const start = encodeStart({ ...message, secret });
  stdin.end(start, () => start.fill(0));
  const giveUp = (): void => {
    child.kill();
  };
  signal?.addEventListener('abort', giveUp);
  const answer = await Promise.race([buffer(child.stdio[3] as Readable), failed]);
  signal?.removeEventListener('abort', giveUp);
  signal?.throwIfAborted();
  child.unref();
  if (answer.length === 0) throw new Error('the agent ended before it could open the vault');
  const said = await decodeAnswer(answer);
  if ('error' in said) throw said.error;
  return said.state;
}

/** From its source when this is run from its source, which takes the same condition; never with a core dump, where the system lets that be said. */
function agentCommand(): { readonly command: string; readonly args: readonly string[] } {
  const extension = extname(fileURLToPath(import.meta.url));
  const module = fileURLToPath(new URL(`./agent-process${extension}`, import.meta.url));
  const program = [process.execPath, ...(extension === '.ts' ? ['--conditions=@coffer/source'] : []), module];
  if (process.platform === 'win32') return { command: process.execPath, args: program.slice(1) };
  return { command: '/bin/sh', args: ['-c', 'ulimit -c 0; exec "$0" "$@"', ...program] };
}

function keptEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    KEPT_VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
