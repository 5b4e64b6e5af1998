import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { chooseSecretSource } from '../input/secret-source.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { getNewSecret } from '../new-secret.ts';
import { forgetSecret } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';

/** `coffer init`: makes a vault and its first key slot. */
export function registerInit(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('init')
    .summary('make a vault')
    .description(
      'Makes a vault in the folder of --vault. It opens with a passphrase (asked for twice, or from a passphrase option), or ' +
        'with the key file of --keyfile, which is made if it is not there. The folder must be empty or not there.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  coffer init\n  coffer init --vault /mnt/usb/coffer --keyfile ~/coffer.key',
    )
    .action(() =>
      run(async (context) => {
        const { output, globals, host } = context;
        const directory = await chooseVaultDirectory(context);
        const { createVault, readVaultSlots } = await import('@coffer/vault');
        // Nobody types a new passphrase twice to hear that there is a vault already.
        if (await isVault(readVaultSlots(directory))) {
          const hint = 'choose another folder with --vault DIR';
          throw new CliError('USAGE', `there is a vault already in ${directory}`, { hint, exit: 'exists' });
        }
        const secret = await getNewSecret(context, chooseSecretSource(globals, host.env));
        context.signal.throwIfAborted();
        try {
          await using vault = await createVault({ directory, secret });
          const slots = vault.slots();
          if (output.json) {
            for (const slot of slots) output.record('slot', slotRecord(slot));
            output.record('summary', { command: 'init', directory, vaultId: vault.vaultId });
          } else {
            output.info(`Made a vault in ${directory}`);
            for (const warning of vault.warnings) output.warning(warning);
            if (secret.kind === 'passphrase') {
              output.hint(
                'nobody can open the vault without the passphrase; write it down where you will find it',
              );
            }
          }
          return undefined;
        } finally {
          forgetSecret(secret);
        }
      }),
    );
}

async function isVault(slots: Promise<unknown>): Promise<boolean> {
  return await slots.then(
    () => true,
    () => false,
  );
}
