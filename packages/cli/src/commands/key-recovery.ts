import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { checkRecoveryCodePlace, makeRecoveryCode } from '../new-recovery-code.ts';
import { openVaultFor } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';

/** `coffer key recovery`: makes a new recovery code. */
export function registerKeyRecovery(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('recovery')
    .summary('make a new recovery code')
    .description(
      'Makes a recovery code: 40 letters and digits that open the vault when everything else is lost. It is shown on the terminal, once, and has to be ' +
        'typed back, or is written to a new file and read back. The code there was before opens the vault until then, and no more from then on.',
    )
    .option('--new-recovery-code-file <file>', 'write the code to this new file instead of showing it')
    .action((options) =>
      run(async (context) => {
        const { output } = context;
        const directory = await chooseVaultDirectory(context);
        const to = { path: options.newRecoveryCodeFile, option: '--new-recovery-code-file', directory };
        checkRecoveryCodePlace(context, { ...to, vaultId: '' });
        await using vault = await openVaultFor(context);
        using made = await makeRecoveryCode(context, { ...to, vaultId: vault.vaultId });
        context.signal.throwIfAborted();
        const slot = await vault.replaceRecoveryCode(made.code);
        if (output.json) output.record('slot', slotRecord(slot));
        else output.line(slot.id);
        return undefined;
      }),
    );
}
