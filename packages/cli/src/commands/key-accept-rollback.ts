import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { askYesNo } from '../input/prompt.ts';
import { openVaultFor } from '../open-vault.ts';

/** `coffer key accept-rollback`: goes on with an older copy of the vault. */
export function registerKeyAcceptRollback(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('accept-rollback')
    .summary('go on with an older copy of the vault that was put back')
    .description(
      'On a machine whose keychain opens the vault, the keychain remembers how far the vault was; on every machine the database remembers how far vault.json was. When an older copy was put back, every command says so, and ' +
        'nothing can be changed. This makes it a copy of its own, with which you go on: what only the newer copy had is given up, and key slots that were removed since are ' +
        'there again (`coffer key ls`, `coffer key rm`). Asks on the terminal first, else it needs -y.',
    )
    .action(() =>
      run(async (context) => {
        const { output, globals, ask } = context;
        await using vault = await openVaultFor(context);
        const { rollback } = await vault.status();
        // Where there is nothing to accept, accepting says so.
        if (rollback === 'behind' && !globals.yes) {
          const agreed = await askYesNo(
            ask,
            'Go on with this older copy? What only the newer one has is given up.',
          );
          if (!agreed) throw new CliError('DECLINED', 'nothing was changed');
        }
        await vault.acceptRollback();
        if (output.json) output.record('summary', { command: 'key accept-rollback' });
        else output.info('This copy of the vault is the one that counts from now on.');
        return undefined;
      }),
    );
}
