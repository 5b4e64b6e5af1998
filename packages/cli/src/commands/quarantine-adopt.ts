import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type RunCommand, showProgress } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount } from '../output/format.ts';
import { fileRecord } from '../output/records.ts';

/** `coffer quarantine adopt`: makes quarantined files files of the vault. */
export function registerQuarantineAdopt(quarantine: CommandUnknownOpts, run: RunCommand): void {
  quarantine
    .command('adopt')
    .summary('make quarantined files files of the vault')
    .description(
      'Reads and verifies a quarantined file, finds its type, and makes it a file of the vault: with the name that is given, or recovered- and the ' +
        'beginning of its id. A file of the vault that has lost its content gets it back and keeps its name. Prints the path of each.',
    )
    .argument('<item...>', 'names as `coffer quarantine ls` shows them, or beginnings of them')
    .option('--name <name>', 'the name of the only item')
    .option('--folder <folder>', 'the folder in the vault; made when it does not exist')
    .action((items, { name, folder }) =>
      run(async (context) => {
        const { output, signal } = context;
        const outcome = new Outcome();
        {
          await using vault = await openVaultFor(context);
          using progress = await showProgress(context, 'quarantine adopt');
          const events = vault.adopt(items, {
            ...(name === undefined ? {} : { name }),
            ...(folder === undefined ? {} : { folder }),
            signal,
            onProgress: progress.update,
          });
          for await (const event of events) {
            if (event.type === 'failed') {
              const failure = describeFailure(event.error);
              outcome.fail(failure.exit);
              output.failure(failure, event.item);
              continue;
            }
            outcome.succeed();
            if (output.json)
              output.record('file', { ...fileRecord(event.file), quarantined: event.quarantined.name });
            else if (!output.quiet) output.line(escapeName(event.file.path));
          }
        }
        const { succeeded, failed } = outcome;
        if (output.json)
          output.record('summary', { command: 'quarantine adopt', adopted: succeeded, failed });
        else if (!outcome.isLoneFailure) {
          const failures = failed === 0 ? '' : `; ${String(failed)} failed`;
          output.info(`Adopted ${formatCount(succeeded, 'file')}${failures}.`);
        }
        return outcome.exitCode;
      }),
    );
}
