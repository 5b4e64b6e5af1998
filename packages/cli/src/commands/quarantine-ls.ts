import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { openVaultFor } from '../open-vault.ts';
import { layOutTable } from '../output/columns.ts';
import { escapeName, escapeText } from '../output/escape.ts';
import { formatDate, formatIsoDate, formatSize } from '../output/format.ts';

/** `coffer quarantine ls`: lists the quarantined files. */
export function registerQuarantineLs(quarantine: CommandUnknownOpts, run: RunCommand): void {
  quarantine
    .command('ls')
    .summary('list the quarantined files')
    .description(
      'Lists the quarantined files: name, size, when the sealed file was written, and whether it opens with a key of this vault.',
    )
    .action(() =>
      run(async (context) => {
        const { output, host } = context;
        await using vault = await openVaultFor(context);
        const files = await vault.quarantine();
        if (output.json) {
          for (const file of files) output.record('quarantined', file);
          return undefined;
        }
        const { isTerminal, style } = output;
        const rows = files.map((file) => {
          const { name, sizeBytes, contentSizeBytes = sizeBytes, modifiedAtMs, problem, path } = file;
          const known = path === undefined ? 'opens' : `opens: the content of ${escapeName(path)}`;
          return [
            { text: name, paint: style.bold },
            { text: isTerminal ? formatSize(contentSizeBytes) : String(contentSizeBytes) },
            { text: isTerminal ? formatDate(modifiedAtMs, host.now()) : formatIsoDate(modifiedAtMs) },
            { text: problem === undefined ? known : escapeText(problem) },
          ];
        });
        for (const line of layOutTable(rows, [{}, { align: 'right' }, {}, {}])) output.line(line);
        if (files.length === 0) output.info('Nothing is in quarantine.');
        return undefined;
      }),
    );
}
