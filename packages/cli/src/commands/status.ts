import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatSize } from '../output/format.ts';
import { writeProperties } from '../output/properties.ts';

/** `coffer status`: what the vault holds. */
export function registerStatus(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('status')
    .summary('show what the vault holds')
    .description('Shows how many files the vault holds, what they take on disk, and which formats it uses.')
    .action(() =>
      run(async (context) => {
        const { output } = context;
        await using vault = await openVaultFor(context);
        const status = await vault.status();
        if (output.json) {
          output.record('status', status);
          return undefined;
        }
        writeProperties(output, [
          ['vault', escapeName(status.directory)],
          ['holds', `${formatCount(status.files, 'file')}, ${formatSize(status.sizeBytes)}`],
          [
            'kept',
            `${formatCount(status.blobFiles, 'file')} in the database, ${String(status.sealedFiles)} sealed`,
          ],
          ['database', formatSize(status.databaseSizeBytes)],
          [
            'damaged',
            status.damagedFiles === 0
              ? 'none known'
              : output.style.red(formatCount(status.damagedFiles, 'file')),
          ],
          ['key slots', String(status.slots)],
          ['formats', `vault ${String(status.formatVersion)}, database ${String(status.schemaVersion)}`],
        ]);
        return undefined;
      }),
    );
}
