import type { Readable, Writable } from 'node:stream';

/** A stream that output goes to: a pipe, a file or a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The terminal a person sits at, opened apart from stdin and stdout, so that both may be pipes. */
export interface Terminal extends Disposable {
  readonly input: Readable;
  readonly output: Writable;
}

/** What the program needs of the process that it runs in. */
export interface Host {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDirectory: string;
  /** Aborted by the first Ctrl-C or SIGTERM, with a `CliError` as its reason. */
  readonly signal: AbortSignal;
  /** The time, in milliseconds since 1970. */
  now(): number;
  /** Opens the terminal, or returns `undefined` when the process has none. */
  openTerminal(): Terminal | undefined;
}
