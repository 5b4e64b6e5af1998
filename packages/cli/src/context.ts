import type { GlobalOptions } from './global-options.ts';
import type { Host } from './host.ts';
import type { AskOptions } from './input/prompt.ts';
import type { Output } from './output/output.ts';
import { createProgressView, type ProgressView } from './output/progress.ts';

/** What a command works with. */
export interface Context {
  readonly host: Host;
  readonly output: Output;
  readonly globals: GlobalOptions;
  readonly signal: AbortSignal;
  readonly ask: AskOptions;
}

/** A command's work: what it returns is the exit code, 0 when it returns nothing. */
export type Work = (context: Context) => Promise<number | undefined>;

/** Runs the work of the command that was parsed. */
export type RunCommand = (work: Work) => Promise<void>;

/** The same for a command that changes the vault, unless it says that it does not this time: a dry run. */
export type ChangeCommand = (work: Work, doesChange?: boolean) => Promise<void>;

export function createContext(host: Host, output: Output, globals: GlobalOptions): Context {
  return {
    host,
    output,
    globals,
    signal: host.signal,
    ask: { host, noInput: !globals.input },
  };
}

/** The progress view of a command, as --progress asks for it. */
export function showProgress({ host, output, globals }: Context, command: string): Promise<ProgressView> {
  return createProgressView(globals.progress, { output, host, command });
}
