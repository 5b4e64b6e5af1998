import { PassThrough, Readable, Writable } from 'node:stream';
import { expect } from 'vitest';
import { CLI_ERROR_EXITS } from '../../src/cli-error.ts';
import { type ExitName, exitCode } from '../../src/exit-codes.ts';
import { VAULT_ERROR_EXITS } from '../../src/vault-error-exits.ts';
import { type Host, main, type OutputStream, type Terminal } from '@coffer/cli';

export interface MainEnded {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface MainOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | string;
  /** Instead of `input`. */
  readonly stdin?: Readable;
  /** stdout is a terminal of so many columns. */
  readonly columns?: number;
  readonly stderrIsTerminal?: boolean;
  readonly signal?: AbortSignal;
  readonly nowMs?: number;
  readonly openTerminal?: () => Terminal | undefined;
}

/** Runs a command line inside this process, on streams of its own and without a terminal unless one is given. */
export async function runMain(args: readonly string[], options: MainOptions = {}): Promise<MainEnded> {
  const stdout = new Sink(options.columns);
  const stderr = new Sink(options.stderrIsTerminal === true ? 80 : undefined);
  const code = await main(args, createHost(stdout, stderr, options));
  checkErrorCodes(stderr.text);
  return { code, stdout: stdout.text, stderr: stderr.text, bytes: stdout.bytes };
}

const EXITS: Readonly<Record<string, ExitName>> = { ...CLI_ERROR_EXITS, ...VAULT_ERROR_EXITS };

/** What every error object of every test has to keep: its code and its exit are a pair of `coffer help exit-codes`. */
function checkErrorCodes(stderr: string): void {
  const records = stderr.split('\n').filter((line) => line.startsWith('{"v":1,"type":"error"'));
  for (const { code, exitCode: exit } of parseLines(records.join('\n'))) {
    const name = EXITS[String(code)];
    expect({ code, exit }).toEqual({ code, exit: name === undefined ? 'none' : exitCode(name) });
  }
}

function createHost(stdout: OutputStream, stderr: OutputStream, options: MainOptions = {}): Host {
  return {
    stdin: options.stdin ?? Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]),
    stdout,
    stderr,
    env: options.env ?? {},
    platform: 'linux',
    homeDirectory: '/home/somebody',
    signal: options.signal ?? new AbortController().signal,
    now: () => options.nowMs ?? Date.now(),
    openTerminal: options.openTerminal ?? (() => undefined),
  };
}

/** A stream that keeps what is written to it. */
export class Sink extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly #chunks: Buffer[] = [];

  constructor(columns?: number) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 80;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A copy: what is written may be used again once the write is done.
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

/** What is typed, or how that follows from what the terminal has shown. */
type Answer = string | ((shown: string) => string);

/** A terminal that types the given keys, one after the other, each time it is asked for something. */
export function createTerminal(answers: readonly Answer[]): Terminal & { readonly shown: () => string } {
  const input = new PassThrough();
  const left = [...answers];
  let shown = '';
  let mark = 0;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      shown += chunk.toString('utf8');
      // A prompt is on the screen when it hides the cursor and shows its question.
      if (left.length > 0 && shown.slice(mark).includes('\u001B[?25l')) {
        mark = shown.length;
        const answer = left.shift() ?? '';
        setImmediate(() => input.write(typeof answer === 'string' ? answer : answer(shown)));
      }
      done();
    },
  });
  return { input, output, shown: () => shown, [Symbol.dispose]: () => undefined };
}

/** The lines of --json as objects. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
