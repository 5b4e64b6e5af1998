import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { askYesNo } from '../input/prompt.ts';
import { openVaultFor } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';
import { slotLabel } from '../output/slot-label.ts';

/** `coffer key rm`: removes a key slot. */
export function registerKeyRm(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('rm')
    .summary('remove a key slot')
    .description(
      'Removes a key slot: its passphrase or key file opens the vault no more. Asks on the terminal first, else it needs -y. The last ' +
        'slot stays. Whoever kept an older copy of vault.json can still open that with the old secret.',
    )
    .argument('<slot>', 'the id of the slot, as `coffer key ls` shows it')
    .action((id) =>
      run(async (context) => {
        const { output, globals, ask } = context;
        await using vault = await openVaultFor(context);
        const slot = vault.slots().find((candidate) => candidate.id === id);
        if (slot === undefined) {
          throw new CliError('NOT_FOUND', `there is no key slot ${id}`, {
            hint: '`coffer key ls` lists them',
          });
        }
        // The last slot is refused before anybody is asked about it.
        if (!globals.yes && vault.slots().length > 1) {
          const label = slot.label === undefined ? '' : `, ${slotLabel(slot.label)}`;
          const agreed = await askYesNo(
            ask,
            `Remove key slot ${id} (${slot.kind}${label})? It will no longer open the vault.`,
          );
          if (!agreed) throw new CliError('DECLINED', 'nothing was removed');
        }
        await vault.removeSlot(id);
        if (output.json) output.record('slot', { ...slotRecord(slot), removed: true });
        else output.info(`Removed key slot ${id}.`);
        return undefined;
      }),
    );
}
