import type { SecretOptions } from '../input/secret-source.ts';

/** The `--new-…` options, as they were given. */
export interface NewSecretOptions {
  readonly newPassphraseFile?: string | undefined;
  readonly newPassphraseFd?: number | undefined;
  readonly newPassphraseCommand?: string | undefined;
  readonly newKeyfile?: string | undefined;
}

/** The same without `new` in their names. */
export function toSecretOptions(options: NewSecretOptions): SecretOptions {
  return {
    passphraseFile: options.newPassphraseFile,
    passphraseFd: options.newPassphraseFd,
    passphraseCommand: options.newPassphraseCommand,
    keyfile: options.newKeyfile,
  };
}
