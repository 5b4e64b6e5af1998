import type { Host, OutputStream } from '../host.ts';
import type { Failure } from '../failure.ts';
import { exitCode } from '../exit-codes.ts';
import { escapeText } from './escape.ts';
import { createStyle, type ColorChoice, type Style } from './style.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: ColorChoice;
}

/** The objects of --json, by their `type`. */
export type RecordType =
  | 'file'
  | 'folder'
  | 'progress'
  | 'summary'
  | 'finding'
  | 'problem'
  | 'quarantined'
  | 'slot'
  | 'keychain'
  | 'status'
  | 'agent'
  | 'paths'
  | 'rebuilt'
  | 'version'
  | 'help'
  | 'warning'
  | 'error';

/**
 * Where a command's output goes: data to stdout, all else to stderr. With --json both carry one object per line. A reader
 * that closes stdout early is no error: what is written after that is dropped.
 */
export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly isTerminal: boolean;
  readonly terminalWidth: number;
  /** For what goes to stdout. */
  readonly style: Style;
  readonly #messageStyle: Style;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  #isClosed = false;
  readonly #shownHints = new Set<string>();
  #writeError: Error | undefined;
  #beforeLine: () => void = () => undefined;

  constructor({ stdout, stderr, env }: Pick<Host, 'stdout' | 'stderr' | 'env'>, options: OutputOptions) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
    this.isTerminal = stdout.isTTY === true;
    this.terminalWidth = stdout.columns ?? 80;
    this.style = createStyle({ color: options.color, isTerminal: this.isTerminal, env });
    this.#messageStyle = createStyle({ color: options.color, isTerminal: stderr.isTTY === true, env });
    this.#stdout = stdout;
    this.#stderr = stderr;
    stdout.on('error', (error) => {
      this.#noteWriteError(error);
    });
    // There is nobody left to tell when stderr can't be written.
    stderr.on('error', () => undefined);
  }

  /** True once the reader of stdout has gone away: a command that only reads may stop. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why stdout could not be written (a full disk), if it could not. */
  get writeError(): Error | undefined {
    return this.#writeError;
  }

  /** Data for people or line by line for other programs: names in it are escaped by the caller. */
  line(text: string): void {
    this.text(`${text}\n`);
  }

  /** Data as it is, in as many lines as it has. */
  text(text: string): void {
    if (this.isTerminal) this.#beforeLine();
    if (!this.#isClosed) this.#stdout.write(text);
  }

  /** Content: resolves when the stream has taken it, so that memory stays bounded. */
  async bytes(chunk: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#stdout.write(chunk, (error) => {
        if (error) this.#noteWriteError(error);
        resolve();
      });
    });
  }

  /** Resolves when stdout and stderr have taken everything. */
  async flush(): Promise<void> {
    await Promise.all(
      [this.#stdout, this.#stderr].map(
        (stream) =>
          new Promise<void>((resolve) => {
            stream.write('', () => {
              resolve();
            });
          }),
      ),
    );
  }

  /** One object on stdout, only with --json. */
  record(type: RecordType, fields: object): void {
    this.line(toJson(type, fields));
  }

  /** What a person wants to know beside the data: silent with -q and with --json. */
  info(text: string): void {
    if (!this.quiet && !this.json) this.#message(escapeText(text));
  }

  /** Only with -v: what is going on. */
  detail(text: string): void {
    if (this.verbose && !this.json) this.#message(this.#messageStyle.dim(`coffer: ${escapeText(text)}`));
  }

  /** Something is wrong, though not with what was asked for: said with -q, too. */
  warning(text: string): void {
    if (this.json) this.#message(toJson('warning', { message: text }));
    else this.#message(`coffer: ${this.#messageStyle.yellow('warning:')} ${escapeText(text)}`);
  }

  /** Advice; said once, however many items it is for. */
  hint(text: string): void {
    if (this.json || this.#shownHints.has(text)) return;
    this.#shownHints.add(text);
    this.#message(`coffer: ${this.#messageStyle.dim('hint:')} ${escapeText(text)}`);
  }

  /** Reports a failure on stderr, -q or not; `subject` is the item that failed, when there are several. */
  failure(failure: Failure, subject?: string): void {
    const { code, message, hint, candidates, cause } = failure;
    if (this.json) {
      const item = subject === undefined ? {} : { item: subject };
      this.#message(
        toJson('error', { code, message, hint, candidates, ...item, exitCode: exitCode(failure.exit) }),
      );
      return;
    }
    const prefix = subject === undefined || message.includes(subject) ? '' : `${subject}: `;
    this.#message(`coffer: ${this.#messageStyle.red('error:')} ${escapeText(prefix + message)}`);
    for (const candidate of candidates ?? []) this.hint(candidate);
    if (hint !== undefined) this.hint(hint);
    if (this.verbose) for (const text of causesOf(cause)) this.detail(text);
  }

  /** One `progress` object on stderr. */
  progressRecord(fields: object): void {
    this.#message(toJson('progress', fields));
  }

  /** One line on stderr as it is. */
  progressLine(text: string): void {
    this.#message(text);
  }

  /** The stream that a progress bar draws on, and what clears it before a line is written to the same terminal. */
  attachBar(clear: () => void): { stream: OutputStream; detach: () => void } {
    this.#beforeLine = clear;
    return {
      stream: this.#stderr,
      detach: () => {
        this.#beforeLine = () => undefined;
      },
    };
  }

  /** True if stderr is a terminal that can redraw a line. */
  canDraw(env: Host['env']): boolean {
    return this.#stderr.isTTY === true && env['TERM'] !== 'dumb';
  }

  #message(text: string): void {
    if (this.#stderr.isTTY === true) this.#beforeLine();
    this.#stderr.write(`${text}\n`);
  }

  #noteWriteError(error: NodeJS.ErrnoException): void {
    this.#isClosed = true;
    // ERR_STREAM_DESTROYED follows an EPIPE.
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') this.#writeError ??= error;
  }
}

function toJson(type: RecordType, fields: object): string {
  return JSON.stringify({ v: 1, type, ...fields });
}

function* causesOf(cause: unknown): Generator<string> {
  let current = cause;
  // A chain of causes is short; the bound is for one that runs in a circle.
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    yield current.stack ?? current.message;
    current = current.cause;
  }
}
