import { CliError, usageError } from '../cli-error.ts';
import type { Host, Terminal } from '../host.ts';

const MAX_TRIES = 3;

/** How long a locked keychain may wait for somebody to unlock it: a person who is there, and a program that is not. */
const KEYCHAIN_PATIENCE_MS = 60_000;

/** Who may be asked. */
export interface AskOptions {
  readonly host: Pick<Host, 'env' | 'openTerminal' | 'signal'>;
  readonly noInput: boolean;
}

/** Asks for the passphrase of a vault on the terminal. INPUT_NEEDED when nobody can be asked, INTERRUPTED on Ctrl-C. */
export async function askPassphrase(options: AskOptions, message: string): Promise<Uint8Array> {
  const hint =
    'give it with --passphrase-file, --passphrase-fd, --passphrase-command, --keyfile or --recovery-code-file';
  using terminal = needTerminal(options, 'a passphrase is needed', hint);
  return toBytes(await askHidden(terminal, options, message));
}

/** Asks for a new passphrase twice, until both are alike. */
export async function askNewPassphrase(options: AskOptions, message: string): Promise<Uint8Array> {
  const hint = 'give it with a passphrase option or a key file; `coffer help environment` lists them';
  using terminal = needTerminal(options, 'a new passphrase is needed', hint);
  for (let attempt = 1; attempt <= MAX_TRIES; attempt += 1) {
    const first = await askHidden(terminal, options, message);
    const again = await askHidden(terminal, options, 'The same once more');
    if (first === again) return toBytes(first);
    terminal.output.write('The two differ.\n');
  }
  throw usageError(`the two passphrases differed ${String(MAX_TRIES)} times`);
}

/** Asks a question whose answer is yes or no; no is the default. INPUT_NEEDED when nobody can be asked. */
export async function askYesNo(options: AskOptions, message: string): Promise<boolean> {
  using terminal = needTerminal(options, `somebody has to answer "${message}"`, 'agree with -y');
  const { confirm } = await import('@clack/prompts');
  return await ask<boolean>(terminal, options, (common) =>
    confirm({ message, initialValue: false, ...common }),
  );
}

async function askHidden(terminal: Terminal, options: AskOptions, message: string): Promise<string> {
  const { password } = await import('@clack/prompts');
  return await ask<string>(terminal, options, (common) =>
    password({
      message,
      mask: '*',
      validate: (value) =>
        value === undefined || value === '' ? 'A passphrase has at least one character.' : undefined,
      ...common,
    }),
  );
}

interface CommonOptions {
  readonly input: Terminal['input'];
  readonly output: Terminal['output'];
  readonly signal: AbortSignal;
  readonly withGuide: boolean;
}

/** Shows a prompt. INTERRUPTED on Ctrl-C, Ctrl-D, and when the terminal goes away. */
export async function ask<T extends string | boolean>(
  { input, output }: Terminal,
  { host }: AskOptions,
  prompt: (common: CommonOptions) => Promise<T | symbol>,
): Promise<T> {
  host.signal.throwIfAborted();
  // The prompt itself does not notice a terminal that goes away, nor Ctrl-D.
  const gone = new AbortController();
  const give = (): void => {
    gone.abort();
  };
  const onKey = (_text: unknown, key: { ctrl?: boolean; name?: string } | undefined): void => {
    if (key?.ctrl === true && key.name === 'd') give();
  };
  input.once('end', give).once('close', give).once('error', give).on('keypress', onKey);
  try {
    const signal = AbortSignal.any([host.signal, gone.signal]);
    const answer = await prompt({ input, output, signal, withGuide: false });
    if (typeof answer !== 'symbol') return answer;
  } finally {
    input.off('end', give).off('close', give).off('error', give).off('keypress', onKey);
  }
  host.signal.throwIfAborted();
  throw new CliError('INTERRUPTED', 'interrupted');
}

/** Whether there is somebody to ask. */
export function canAsk({ host, noInput }: AskOptions): boolean {
  if (noInput || isCi(host.env)) return false;
  using terminal = host.openTerminal();
  return terminal !== undefined;
}

/** How long the keychain may wait for somebody to unlock it: not at all where nobody may be asked, and then it does not ask. */
export function keychainTimeoutMs(options: AskOptions): number {
  return canAsk(options) ? KEYCHAIN_PATIENCE_MS : 0;
}

/** The terminal to ask on. INPUT_NEEDED when there is none, or nobody to ask. */
export function needTerminal({ host, noInput }: AskOptions, what: string, hint: string): Terminal {
  const why = noInput ? '--no-input forbids to ask' : isCi(host.env) ? 'CI is set' : undefined;
  const terminal = why === undefined ? host.openTerminal() : undefined;
  if (terminal === undefined) {
    throw new CliError('INPUT_NEEDED', `${what}, but ${why ?? 'there is no terminal to ask on'}`, { hint });
  }
  return terminal;
}

function isCi(env: Host['env']): boolean {
  const value = env['CI'];
  return value !== undefined && value !== '' && value !== 'false' && value !== '0';
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
