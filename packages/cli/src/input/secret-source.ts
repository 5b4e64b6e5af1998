import { usageError } from '../cli-error.ts';
import type { Host } from '../host.ts';

/** Where a passphrase or a key comes from; also a new one. */
export type NewSecretSource =
  | { readonly kind: 'passphrase-file'; readonly path: string }
  | { readonly kind: 'passphrase-fd'; readonly fd: number }
  | { readonly kind: 'passphrase-command'; readonly command: string }
  | { readonly kind: 'keyfile'; readonly path: string }
  | { readonly kind: 'ask' };

/** Where what opens a vault comes from. */
export type SecretSource = NewSecretSource | { readonly kind: 'recovery-code-file'; readonly path: string };

/** The options of one secret, as they were given. */
export interface SecretOptions {
  readonly passphraseFile?: string | undefined;
  readonly passphraseFd?: number | undefined;
  readonly passphraseCommand?: string | undefined;
  readonly keyfile?: string | undefined;
}

/** The options of what opens a vault. */
export interface OpeningOptions extends SecretOptions {
  readonly recoveryCodeFile?: string | undefined;
}

/** The source that opens a vault: an option, else the environment, else a question. Two at once are refused. */
export function chooseSecretSource(options: OpeningOptions, env: Host['env']): SecretSource {
  const recovery = named<string, SecretSource>('--recovery-code-file', options.recoveryCodeFile, (path) => ({
    kind: 'recovery-code-file',
    path,
  }));
  return (
    theOnly<SecretSource>([...sourcesFromOptions(options, '--'), recovery]) ??
    sourceFromEnvironment(env) ?? { kind: 'ask' }
  );
}

/** The source of a new vault's secret: an option, else the environment, else a question. */
export function chooseFirstSecretSource(options: SecretOptions, env: Host['env']): NewSecretSource {
  return theOnly(sourcesFromOptions(options, '--')) ?? sourceFromEnvironment(env) ?? { kind: 'ask' };
}

/** The source of a new secret (`--new-…`): an option, else a question. The environment holds the current one. */
export function chooseNewSecretSource(options: SecretOptions): NewSecretSource {
  return theOnly(sourcesFromOptions(options, '--new-')) ?? { kind: 'ask' };
}

/** True if the secret is read from stdin, which can't be content as well. */
export function readsStdin(source: SecretSource): boolean {
  return source.kind === 'passphrase-fd' && source.fd === 0;
}

interface NamedSource<T> {
  readonly name: string;
  readonly source: T;
}

function sourceFromEnvironment(env: Host['env']): NewSecretSource | undefined {
  return theOnly<NewSecretSource>([
    named('COFFER_PASSPHRASE_FILE', env['COFFER_PASSPHRASE_FILE'], (path) => ({
      kind: 'passphrase-file',
      path,
    })),
    named('COFFER_KEYFILE', env['COFFER_KEYFILE'], (path) => ({ kind: 'keyfile', path })),
  ]);
}

function sourcesFromOptions(
  options: SecretOptions,
  prefix: '--' | '--new-',
): (NamedSource<NewSecretSource> | undefined)[] {
  const { passphraseFile, passphraseFd, passphraseCommand, keyfile } = options;
  return [
    named(`${prefix}passphrase-file`, passphraseFile, (path) => ({ kind: 'passphrase-file', path })),
    named(`${prefix}passphrase-fd`, passphraseFd, (fd) => ({ kind: 'passphrase-fd', fd })),
    named(`${prefix}passphrase-command`, passphraseCommand, (command) => ({
      kind: 'passphrase-command',
      command,
    })),
    named(`${prefix}keyfile`, keyfile, (path) => ({ kind: 'keyfile', path })),
  ];
}

function named<V, T = NewSecretSource>(
  name: string,
  value: V | undefined,
  build: (value: V) => T,
): NamedSource<T> | undefined {
  return value === undefined || value === '' ? undefined : { name, source: build(value) };
}

function theOnly<T>(candidates: readonly (NamedSource<T> | undefined)[]): T | undefined {
  const given = candidates.filter((candidate) => candidate !== undefined);
  if (given.length > 1) {
    throw usageError(
      `${given.map(({ name }) => name).join(' and ')} can't be used together`,
      'give one of them',
    );
  }
  return given[0]?.source;
}
