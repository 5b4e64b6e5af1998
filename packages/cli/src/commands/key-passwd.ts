import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { parseFd } from '../global-options.ts';
import { chooseNewSecretSource } from '../input/secret-source.ts';
import { announceTrials, getNewPassphrase } from '../new-secret.ts';
import { openVaultWith, useKnownSecret } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';
import { toSecretOptions } from './new-secret-options.ts';

/** `coffer key passwd`: changes a passphrase. */
export function registerKeyPasswd(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('passwd')
    .summary('change a passphrase')
    .description(
      'Changes the passphrase of a key slot; no file is rewritten. The current passphrase comes from the global options or a question, ' +
        'the new one from the options below or from a question that is asked twice. The slot gets a new id, which is printed.',
    )
    .option('--new-passphrase-file <file>', 'the new passphrase is what the file holds')
    .option('--new-passphrase-fd <number>', 'the new passphrase is read from this file descriptor', parseFd)
    .option('--new-passphrase-command <command>', 'the new passphrase is what the command prints')
    .action((options) =>
      run(async (context) => {
        const { output } = context;
        const source = chooseNewSecretSource(toSecretOptions(options));
        await useKnownSecret(context, async (secret, accept) => {
          if (secret.kind !== 'passphrase' || source.kind === 'keyfile') {
            throw usageError(
              `${secret.kind === 'recovery' ? 'a recovery code' : 'a key file'} has no passphrase to change`,
              'use `coffer key add` and `coffer key rm`',
            );
          }
          await using vault = await openVaultWith(context, secret);
          accept();
          const next = await getNewPassphrase(context, source);
          try {
            await announceTrials(context, vault);
            const slot = await vault.changePassphrase({ current: secret.passphrase, next });
            if (output.json) output.record('slot', slotRecord(slot));
            else output.line(slot.id);
          } finally {
            next.fill(0);
          }
        });
        return undefined;
      }),
    );
}
