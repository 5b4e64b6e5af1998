import { EXIT_CODES } from '../../packages/cli/src/index.ts';
import type { CommandLineResult } from './run-command-line.ts';

const CODES: ReadonlySet<number> = new Set(Object.values(EXIT_CODES).map(({ code }) => code));
/** SGR, which colours are made of: ECMA-48 §8.3.117. */
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
/** But line ends and tabs. */
const CONTROL = /[\p{Cc}--[\n\t]]/v;

/** What is wrong with how a command line ended; `undefined` when nothing is. */
export function findFault(
  args: readonly string[],
  { code, stdout, stderr }: CommandLineResult,
  secrets: readonly string[],
): string | undefined {
  if (!CODES.has(code)) return `it ended with ${String(code)}, which is no exit code`;
  if (code === EXIT_CODES.unexpected.code) return `it failed unexpectedly: ${stderr}`;
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) return `it showed a stack: ${stderr}`;
  // The content of a file is what it is, and so are names for other programs.
  const isContent = ['cat', 'get', '--null', '-0'].some((word) => args.includes(word));
  for (const [name, text] of [
    ['stdout', isContent ? '' : stdout],
    ['stderr', stderr],
  ] as const) {
    if (CONTROL.test(text.replaceAll(COLOUR, '')))
      return `${name} has control characters: ${JSON.stringify(text)}`;
    const leaked = secrets.find((secret) => text.includes(secret));
    if (leaked !== undefined) return `${name} has a secret`;
  }
  if (code !== 0 && stderr === '' && stdout === '') return `it ended with ${String(code)} and said nothing`;
  return undefined;
}
