import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { SlotSecret } from '@coffer/vault';
import { usageError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { parseFd } from '../global-options.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { type NewSecretSource, chooseNewSecretSource } from '../input/secret-source.ts';
import { announceTrials, getNewSecret } from '../new-secret.ts';
import { forgetSecret, openVaultFor } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';
import { type NewSecretOptions, toSecretOptions } from './new-secret-options.ts';

/** `coffer key add`: adds a key slot. */
export function registerKeyAdd(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('add')
    .summary('add a passphrase, a key file or the keychain')
    .description(
      'Adds a key slot: the vault then opens with the new passphrase, key file or keychain as well. The passphrase is asked for twice unless an ' +
        'option gives it. Prints the id of the new slot. `coffer key recovery` makes a recovery code.',
    )
    .option('--new-passphrase-file <file>', 'the new passphrase is what the file holds')
    .option('--new-passphrase-fd <number>', 'the new passphrase is read from this file descriptor', parseFd)
    .option('--new-passphrase-command <command>', 'the new passphrase is what the command prints')
    .option('--new-keyfile <file>', 'the new key file, which is made if it is not there')
    .option(
      '--keychain',
      "a new key in this machine's keychain, with which the vault opens without a question",
    )
    .option('--label <text>', 'a label to tell the slots apart')
    .action((options) =>
      run(async (context) => {
        const { output } = context;
        const source = chooseSource(options);
        await using vault = await openVaultFor(context);
        const isNewKeyfile = source.kind === 'keyfile' && !existsSync(source.path);
        const secret: SlotSecret = source.kind === 'keychain' ? source : await getNewSecret(context, source);
        try {
          if (secret.kind === 'passphrase') await announceTrials(context, vault);
          const slot = await vault
            .addSlot(secret, {
              ...(options.label === undefined ? {} : { label: options.label }),
              keychainTimeoutMs: keychainTimeoutMs(context.ask),
              signal: context.signal,
            })
            .catch(async (error: unknown) => {
              // Refused before anything was written: the new key file opens nothing, and its name should be free for the next
              // try. After any other failure the slot may be there, and then the file is not ours to remove.
              if (isNewKeyfile && isRefusal(error)) await rm(source.path, { force: true });
              throw error;
            });
          if (output.json) output.record('slot', slotRecord(slot));
          else output.line(slot.id);
          return undefined;
        } finally {
          forgetSecret(secret);
        }
      }),
    );
}

function chooseSource({
  keychain,
  ...options
}: NewSecretOptions & { readonly keychain?: true | undefined }):
  NewSecretSource | { readonly kind: 'keychain' } {
  const source = chooseNewSecretSource(toSecretOptions(options));
  if (keychain !== true) return source;
  if (source.kind === 'ask') return { kind: 'keychain' };
  throw usageError(
    `--keychain and --new-${source.kind} can't be used together`,
    'add one slot after the other',
  );
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'INVALID_INPUT' || error.code === 'TOO_MANY_SLOTS')
  );
}
