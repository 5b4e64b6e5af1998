import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import { type Context, type RunCommand, showProgress } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';
import { fileRecord } from '../output/records.ts';
import { writeContent } from '../write-content.ts';

/** `coffer get`: restores files and folders. */
export function registerGet(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('get')
    .summary('restore files and folders')
    .description(
      'Restores files and folders with their modification times, to the current folder or to PATH. Nothing appears under its name ' +
        'before all of it has been verified. A file that is there already is kept (exit 16) unless --force is given. Prints where ' +
        'every file was restored to.',
    )
    .argument('<item...>', 'paths, unique names, folders, or beginnings of ids')
    .option(
      '-o, --output <path>',
      'where to restore to; several items need a folder, and - is stdout, for one file',
    )
    .option('-f, --force', 'replace files that are there already', false)
    .action((items, options) =>
      run(async (context) => {
        if (options.output === '-') {
          await writeToStdout(context, items);
          return undefined;
        }
        const { output, host, signal } = context;
        let startMs: number;
        const outcome = new Outcome();
        let sizeBytes = 0;
        {
          await using vault = await openVaultFor(context);
          // Not counting the time that somebody took to type.
          startMs = host.now();
          using progress = await showProgress(context, 'get');
          const events = vault.getPaths(items, {
            force: options.force,
            signal,
            onProgress: progress.update,
            ...(options.output === undefined ? {} : { destination: options.output }),
          });
          for await (const event of events) {
            if (event.type === 'restored') {
              outcome.succeed();
              sizeBytes += event.file.sizeBytes;
              const { destination } = event;
              if (output.json) output.record('file', { ...fileRecord(event.file), destination });
              else if (!output.quiet) output.line(escapeName(destination));
            } else {
              const failure = describeFailure(event.error);
              outcome.fail(failure.exit);
              output.failure(failure, event.item);
            }
          }
        }
        const seconds = (host.now() - startMs) / 1000;
        const { succeeded: restored, failed } = outcome;
        if (output.json) {
          output.record('summary', { command: 'get', restored, failed, sizeBytes, seconds });
        } else if (!outcome.isLoneFailure) {
          const failures = failed === 0 ? '' : `; ${String(failed)} failed`;
          const files = formatCount(restored, 'file');
          output.info(
            `Restored ${files}, ${formatSize(sizeBytes)}, in ${formatDuration(seconds)}${failures}.`,
          );
        }
        return outcome.exitCode;
      }),
    );
}

async function writeToStdout(context: Context, items: readonly string[]): Promise<void> {
  const [item = '', another] = items;
  if (another !== undefined)
    throw usageError(
      'stdout takes one file',
      'give a folder with -o to restore several; what is called - is ./-',
    );
  await using vault = await openVaultFor(context);
  await writeContent(context, vault, item);
}
