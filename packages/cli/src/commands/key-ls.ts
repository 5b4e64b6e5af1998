import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { layOutTable } from '../output/columns.ts';
import { formatDate, formatIsoDate } from '../output/format.ts';
import { slotRecord } from '../output/records.ts';
import { slotLabel } from '../output/slot-label.ts';

/** `coffer key ls`: lists the key slots, which takes no secret. */
export function registerKeyLs(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('ls')
    .summary('list the key slots')
    .description('Lists the key slots: id, kind, when it was made, label. No secret is needed for it.')
    .action(() =>
      run(async (context) => {
        const { output, host } = context;
        const { readVaultSlots } = await import('@coffer/vault');
        const { slots, warnings } = await readVaultSlots(await chooseVaultDirectory(context));
        for (const warning of warnings) output.warning(warning);
        if (output.json) {
          for (const slot of slots) output.record('slot', slotRecord(slot));
          return undefined;
        }
        const { isTerminal, style } = output;
        const rows = slots.map(({ id, kind, label, createdAtMs }) => [
          { text: id, paint: style.bold },
          { text: kind },
          { text: isTerminal ? formatDate(createdAtMs, host.now()) : formatIsoDate(createdAtMs) },
          { text: slotLabel(label) },
        ]);
        for (const line of layOutTable(rows, [{}, {}, {}, {}])) output.line(line);
        return undefined;
      }),
    );
}
