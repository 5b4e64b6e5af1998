import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { escapeName } from './output/escape.ts';

/** What other programs call it, where that is not near enough to our name. */
export const NAMES_ELSEWHERE: Readonly<Record<string, string>> = {
  close: 'lock',
  copy: 'add or get',
  cp: 'add or get',
  create: 'init',
  del: 'rm',
  delete: 'rm',
  dir: 'ls',
  extract: 'get',
  fsck: 'check',
  grep: 'find',
  insert: 'add',
  list: 'ls',
  move: 'mv',
  new: 'init',
  open: 'unlock',
  passwd: 'key passwd',
  put: 'add',
  remove: 'rm',
  rename: 'mv',
  rotate: 'key rotate',
  search: 'find',
  show: 'cat or info',
  stat: 'info',
  store: 'add',
  upload: 'add',
  verify: 'check',
};

/** The words of a command line that are neither options nor what belongs to a global option. */
export function plainWords(program: CommandUnknownOpts, flags: readonly string[]): readonly string[] {
  const takesNext = new Set<string | undefined>(
    program.options.flatMap(({ required, short, long }) => (required ? [short, long] : [])),
  );
  return flags.filter((flag, at) => !flag.startsWith('-') && (at === 0 || !takesNext.has(flags[at - 1])));
}

/**
 * What to do about a first word that is no command: a vault, given where other programs take one, or something near. `suggestion` is about
 * what has a similar name.
 */
export function adviseOnCommand(
  program: CommandUnknownOpts,
  [word = '', next]: readonly string[],
  suggestion: string | undefined,
): string {
  const isVault = /[\\/]/.test(word) || existsSync(join(word, 'vault.json'));
  const follows = program.commands.find((known) => known.name() === next)?.name();
  const meant = Object.hasOwn(NAMES_ELSEWHERE, word)
    ? `did you mean ${NAMES_ELSEWHERE[word] ?? ''}?`
    : suggestion;
  const near = meant === undefined || isVault ? [] : [meant];
  if (isVault || follows !== undefined) {
    const example = `coffer ${follows ?? 'ls'} --vault ${escapeName(word)}`;
    return [...near, `a vault is named by --vault: \`${example}\``].join(' ');
  }
  return [...near, '`coffer help` lists the commands'].join(' ');
}
