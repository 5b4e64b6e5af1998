import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount } from '../output/format.ts';
import { fileRecord } from '../output/records.ts';

/** `coffer mv`: renames and moves inside the vault. */
export function registerMv(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('mv')
    .summary('rename or move a file or folder in the vault')
    .description(
      'Gives a file or a folder another path in the vault, or moves it into a folder that is there. A path that is taken is never ' +
        'replaced (exit 16). Prints the new path of every file.',
    )
    .argument('<item>', 'a path, a unique name, a folder, or the beginning of an id')
    .argument('<destination>', 'the new path, or a folder to move into')
    .action((item, destination) =>
      run(async (context) => {
        const { output } = context;
        await using vault = await openVaultFor(context);
        const files = await vault.move(item, destination);
        for (const file of files) {
          if (output.json) output.record('file', fileRecord(file));
          else if (!output.quiet) output.line(escapeName(file.path));
        }
        if (output.json) output.record('summary', { command: 'mv', moved: files.length });
        else output.info(`Moved ${formatCount(files.length, 'file')}.`);
        return undefined;
      }),
    );
}
