/**
 * Every exit code of `coffer`, by name. This table is the only one: help, docs/cli.md and the code read it.
 * A number never changes its meaning. 20 to 24 are kept for transfers between machines and used for nothing else.
 */
export const EXIT_CODES = {
  done: { code: 0, meaning: 'done' },
  unexpected: { code: 1, meaning: 'unexpected failure' },
  usage: { code: 2, meaning: 'usage: an option, an argument or a name is not valid' },
  someFailed: { code: 3, meaning: 'some of several failed, or were skipped' },
  inputNeeded: { code: 4, meaning: 'input is needed (a passphrase, a yes), but nobody can be asked' },
  declined: { code: 5, meaning: 'declined: the answer was no' },
  noVault: { code: 10, meaning: 'no vault here' },
  inUse: { code: 11, meaning: 'the vault is in use by another process' },
  wrongKey: { code: 12, meaning: 'wrong passphrase or key file' },
  tooNew: { code: 13, meaning: 'the vault was made by a newer version' },
  damaged: { code: 14, meaning: 'damaged content' },
  notFound: { code: 15, meaning: 'not found' },
  exists: { code: 16, meaning: 'exists already' },
  refusedBySystem: { code: 17, meaning: 'no space left, or not permitted' },
  locked: { code: 18, meaning: 'the vault was locked, or its agent ended, before this was done' },
  findings: { code: 30, meaning: '`check` or `doctor` found something' },
  interrupted: { code: 130, meaning: 'interrupted by Ctrl-C (SIGINT)' },
  terminated: { code: 143, meaning: 'ended by SIGTERM' },
} as const;

export type ExitName = keyof typeof EXIT_CODES;

/** The number of a named exit. */
export function exitCode(name: ExitName): number {
  return EXIT_CODES[name].code;
}
