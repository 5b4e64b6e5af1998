import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { OpeningOptions } from './input/secret-source.ts';
import type { ColorChoice } from './output/style.ts';
import type { ProgressChoice } from './output/progress.ts';

/** The options that every command takes, before or after its name. */
export interface GlobalOptions extends OpeningOptions {
  readonly vault?: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: ColorChoice;
  readonly progress: ProgressChoice;
  /** False with --no-input. */
  readonly input: boolean;
  readonly yes: boolean;
}

/** A file descriptor that a passphrase can come from. */
export function parseFd(text: string): number {
  const fd = Number(text);
  if (!/^\d{1,4}$/.test(text) || fd === 1 || fd === 2) {
    throw new InvalidArgumentError('It is 0 (stdin), or 3 or more.');
  }
  return fd;
}

/** For an option that may be given several times. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
