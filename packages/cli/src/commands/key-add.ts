import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { parseFd } from '../global-options.ts';
import { chooseNewSecretSource } from '../input/secret-source.ts';
import { getNewSecret } from '../new-secret.ts';
import { forgetSecret, openVaultFor } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';
import { toSecretOptions } from './new-secret-options.ts';

/** `coffer key add`: adds a key slot. */
export function registerKeyAdd(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('add')
    .summary('add a passphrase or a key file')
    .description(
      'Adds a key slot: the vault then opens with the new passphrase or key file as well. The passphrase is asked for twice unless an ' +
        'option gives it. Prints the id of the new slot.',
    )
    .option('--new-passphrase-file <file>', 'the new passphrase is what the file holds')
    .option('--new-passphrase-fd <number>', 'the new passphrase is read from this file descriptor', parseFd)
    .option('--new-passphrase-command <command>', 'the new passphrase is what the command prints')
    .option('--new-keyfile <file>', 'the new key file, which is made if it is not there')
    .option('--label <text>', 'a label to tell the slots apart')
    .action((options) =>
      run(async (context) => {
        const { output } = context;
        const source = chooseNewSecretSource(toSecretOptions(options));
        await using vault = await openVaultFor(context);
        const isNewKeyfile = source.kind === 'keyfile' && !existsSync(source.path);
        const secret = await getNewSecret(context, source);
        try {
          const slot = await vault
            .addSlot(secret, options.label === undefined ? {} : { label: options.label })
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

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'INVALID_INPUT' || error.code === 'TOO_MANY_SLOTS')
  );
}
