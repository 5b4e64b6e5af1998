import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { askYesNo } from '../input/prompt.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { formatCount } from '../output/format.ts';

/** `coffer quarantine drop`: destroys quarantined files. */
export function registerQuarantineDrop(quarantine: CommandUnknownOpts, run: RunCommand): void {
  quarantine
    .command('drop')
    .summary('destroy quarantined files')
    .description(
      'Overwrites quarantined files where their key is and unlinks them, for good. Asks on the terminal first, else it needs -y.',
    )
    .argument('<item...>', 'names as `coffer quarantine ls` shows them, or beginnings of them')
    .action((items) =>
      run(async (context) => {
        const { output, globals, ask, signal } = context;
        const outcome = new Outcome();
        {
          await using vault = await openVaultFor(context);
          if (!globals.yes) {
            const question = `Destroy ${formatCount(items.length, 'quarantined file')} for good?`;
            if (!(await askYesNo(ask, question))) throw new CliError('DECLINED', 'nothing was destroyed');
          }
          for await (const event of vault.dropQuarantined(items, { signal })) {
            if (event.type === 'failed') {
              const failure = describeFailure(event.error);
              outcome.fail(failure.exit);
              output.failure(failure, event.item);
              continue;
            }
            outcome.succeed();
            if (output.json) output.record('quarantined', { ...event.quarantined, dropped: true });
            else if (!output.quiet) output.line(event.quarantined.name);
          }
        }
        const { succeeded, failed } = outcome;
        if (output.json) output.record('summary', { command: 'quarantine drop', dropped: succeeded, failed });
        else if (!outcome.isLoneFailure) {
          const failures = failed === 0 ? '' : `; ${String(failed)} failed`;
          output.info(`Destroyed ${formatCount(succeeded, 'quarantined file')}${failures}.`);
        }
        return outcome.exitCode;
      }),
    );
}
