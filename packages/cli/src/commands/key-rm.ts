import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { askYesNo } from '../input/prompt.ts';
import { keychainPatience, openVaultFor } from '../open-vault.ts';
import { slotRecord } from '../output/records.ts';
import { slotLabel } from '../output/slot-label.ts';

/** `coffer key rm`: removes a key slot. */
export function registerKeyRm(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('rm')
    .summary('remove a key slot')
    .description(
      'Removes a key slot: what it opened with opens the vault no more, and its item in the keychain goes after it. Asks on the terminal first, else it ' +
        'needs -y. The last slot stays, and so does the last one that is not for the keychain. Whoever kept an older copy of vault.json can still open that with the old secret.',
    )
    .argument('<slot>', 'the id of the slot, or its beginning, as `coffer key ls` shows it')
    .action((id) =>
      run(async (context) => {
        const { output, globals, ask } = context;
        await using vault = await openVaultFor(context);
        const slots = await vault.slots();
        const [found, another] = slots.filter((slot) => slot.id.startsWith(id));
        // What can't be removed (no such slot, two of them, the last one) is not asked about: removing says why.
        if (!globals.yes && found !== undefined && another === undefined && slots.length > 1) {
          const label = found.label === undefined ? '' : `, ${slotLabel(found.label)}`;
          const agreed = await askYesNo(
            ask,
            `Remove key slot ${found.id} (${found.kind}${label})? It will no longer open the vault.`,
          );
          if (!agreed) throw new CliError('DECLINED', 'nothing was removed');
        }
        const slot = await vault.removeSlot(id, keychainPatience(context));
        for (const warning of slot.warnings) output.warning(warning);
        if (output.json) output.record('slot', { ...slotRecord(slot), removed: true });
        else output.info(`Removed key slot ${slot.id}.`);
        return undefined;
      }),
    );
}
