import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { VaultError } from '../errors.ts';
import { FrameReader, decodeAnswer, encodeRequest } from './message.ts';
import type { KeychainAnswer, KeychainFailure, KeychainOperation } from './message.ts';

// Node runs the source as it is; in `dist` the compiler has rewritten imports, but no URLs.
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const PROCESS_PATH: string = fileURLToPath(new URL(`./keychain-process${extension}`, import.meta.url));

/** As long as a person may need to answer the keychain's own question. */
const DEFAULT_KEYCHAIN_TIMEOUT_MS = 60_000;

/** For a keychain that asks nobody, and answers in milliseconds if it does. */
const QUIET_TIMEOUT_MS = 5_000;

export interface KeychainOptions {
  /** How long one operation may wait for somebody to unlock a locked keychain; a minute when not given. With 0 nobody is asked to (where the system lets that be known: on Linux). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The keychain of the operating system: Secret Service on Linux, Keychain on macOS, Credential Manager on Windows. Items are bytes by account name,
 * under the service `coffer`. It is asked in a process of its own, which is started with the first question, and killed when one takes too long.
 *
 * Every method throws `VaultError`: `KEYCHAIN_UNAVAILABLE` (there is none), `KEYCHAIN_LOCKED` (locked, refused, or nobody answered its question), `ABORTED`, `FAILED`.
 */
export class Keychain implements Disposable {
  readonly #isQuiet: boolean;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #child: KeychainChild | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: KeychainOptions = {}) {
    this.#isQuiet = options.timeoutMs === 0;
    this.#timeoutMs = this.#isQuiet ? QUIET_TIMEOUT_MS : (options.timeoutMs ?? DEFAULT_KEYCHAIN_TIMEOUT_MS);
    this.#signal = options.signal;
  }

  /** Starts the process ahead of the first question, which then finds it ready. */
  prepare(): void {
    this.#child ??= new KeychainChild();
  }

  /** What is in an item, `undefined` when there is none. The caller zeroes it. */
  async get(account: string): Promise<Uint8Array | undefined> {
    const answer = await this.#ask('get', account);
    return answer.type === 'done' ? answer.secret : undefined;
  }

  /** Makes an item or replaces what is in it. */
  async set(account: string, secret: Uint8Array): Promise<void> {
    await this.#ask('set', account, secret);
  }

  /** `false` when there was none. */
  async remove(account: string): Promise<boolean> {
    return (await this.#ask('remove', account)).type === 'done';
  }

  /**
   * The accounts of all items, those of other vaults among them. Nobody is asked to unlock anything. Only on Linux: elsewhere the module gives them out with their
   * secrets alone.
   */
  async accounts(): Promise<readonly string[]> {
    if (process.platform !== 'linux') {
      throw new VaultError(
        'KEYCHAIN_UNAVAILABLE',
        'Coffer cannot list what is in the keychain of this system',
        {
          hint: 'Keychain Access on macOS and Credential Manager on Windows show and remove the items of `coffer`, whose accounts begin with vault/ and the id of the vault',
        },
      );
    }
    const answer = await this.#ask('list', '');
    const lines = answer.type === 'done' ? Buffer.from(answer.secret).toString('utf8') : '';
    return lines.split('\n').filter((line) => line !== '');
  }

  [Symbol.dispose](): void {
    this.#child?.end();
    this.#child = undefined;
  }

  async #ask(
    operation: KeychainOperation,
    account: string,
    secret: Uint8Array = new Uint8Array(),
  ): Promise<Exclude<KeychainAnswer, { type: 'error' }>> {
    // One question at a time: answers come in their order.
    const request = { operation, isQuiet: this.#isQuiet, account, secret };
    const turn = this.#lastTurn.then(() => this.#askNow(encodeRequest(request)));
    this.#lastTurn = turn.catch(() => undefined);
    const answer = await turn;
    if (answer.type === 'error') throw keychainError(answer.failure, answer.message);
    return answer;
  }

  async #askNow(request: Uint8Array): Promise<KeychainAnswer> {
    this.prepare();
    const child = this.#child;
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = this.#signal === undefined ? timeout : AbortSignal.any([timeout, this.#signal]);
    try {
      const answer = signal.aborted ? undefined : await child?.ask(request, signal);
      if (answer !== undefined) return answer;
    } finally {
      request.fill(0);
    }
    // It was killed, or died: the next question gets a new one.
    this[Symbol.dispose]();
    if (this.#signal?.aborted === true)
      throw new VaultError('ABORTED', 'waiting for the keychain was cancelled', {
        cause: this.#signal.reason,
      });
    if (timeout.aborted) return { type: 'error', failure: 'locked', message: 'nobody answered its question' };
    return { type: 'error', failure: 'failed', message: `its process ended early (${child?.ending ?? ''})` };
  }
}

/** A running `keychain-process.ts`. It does not keep this process alive while nothing is asked. */
class KeychainChild {
  readonly #child: ChildProcess;
  readonly #reader = new FrameReader();
  #answered: ((answer: KeychainAnswer | undefined) => void) | undefined;
  ending = 'it was ended';
  #isOver = false;

  constructor() {
    this.#child = spawn(process.execPath, [PROCESS_PATH], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: childEnvironment(),
      windowsHide: true,
    });
    this.#child.once('error', (error) => {
      this.#over(error.message);
    });
    this.#child.once('close', (code, signal) => {
      this.#over(signal === null ? `exit code ${String(code)}` : `signal ${signal}`);
    });
    // A child that died closes its input: why, its end tells.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.on('data', (piece: Buffer) => {
      this.#receive(piece);
    });
    this.#hold(false);
  }

  /** `undefined` when it ended before it answered, or the signal came first: then it is killed. */
  async ask(request: Uint8Array, signal: AbortSignal): Promise<KeychainAnswer | undefined> {
    if (this.#isOver) return undefined;
    const kill = (): void => {
      this.end();
    };
    this.#hold(true);
    signal.addEventListener('abort', kill, { once: true });
    try {
      return await new Promise((resolve) => {
        this.#answered = resolve;
        this.#child.stdin?.write(request);
      });
    } finally {
      signal.removeEventListener('abort', kill);
      this.#answered = undefined;
      this.#hold(false);
    }
  }

  end(): void {
    this.#child.kill('SIGKILL');
    this.#over('it was ended');
  }

  #receive(piece: Uint8Array): void {
    try {
      for (const content of this.#reader.push(piece)) this.#answered?.(decodeAnswer(content));
    } catch {
      this.end();
    }
  }

  #over(ending: string): void {
    if (!this.#isOver) this.ending = ending;
    this.#isOver = true;
    this.#answered?.(undefined);
  }

  #hold(isHeld: boolean): void {
    const { stdin, stdout } = this.#child;
    for (const part of [this.#child, stdin, stdout]) {
      if (part === null || !('ref' in part) || !('unref' in part)) continue;
      const { ref, unref } = part as { ref: () => void; unref: () => void };
      (isHeld ? ref : unref).call(part);
    }
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

function keychainError(failure: KeychainFailure, reason: string): VaultError {
  switch (failure) {
    case 'unavailable':
      return new VaultError('KEYCHAIN_UNAVAILABLE', `this machine has no keychain to ask: ${reason}`, {
        hint: 'on Linux it is a Secret Service (gnome-keyring, KWallet, KeePassXC) in the session that you are logged in to',
      });
    case 'locked':
      return new VaultError('KEYCHAIN_LOCKED', `the keychain is locked: ${reason}`, {
        hint: 'unlock it, which logging in to the desktop does, and try again',
      });
    case 'failed':
      return new VaultError('FAILED', `the keychain reports an error: ${reason}`);
  }
}
