import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import { type RunCommand, showProgress } from '../context.ts';
import { exitCode } from '../exit-codes.ts';
import { parsePercent } from '../input/parse-percent.ts';
import { openVaultFor } from '../open-vault.ts';
import { writeFinding } from '../output/finding-lines.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';

/** `coffer check`: reads everything and says what is wrong. */
export function registerCheck(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('check')
    .summary('read everything and say what is wrong')
    .description(
      'Reads and verifies the whole vault, or only the files of ITEM…: says what is wrong with what, since when, what it costs and ' +
        'which command mends it. Exit 30 if it found something. Nothing is changed.',
    )
    .argument('[item...]', 'only these: paths, unique names, folders, or beginnings of ids')
    .option('--quick', 'compare names and sizes only, without reading content', false)
    .option('--sample <share>', 'read only a share of the files, chosen at random (5%)')
    .action((items, options) =>
      run(async (context) => {
        const { output, host, signal } = context;
        if (options.quick && options.sample !== undefined) {
          throw usageError("--quick and --sample can't be used together", '--quick reads no content');
        }
        const samplePercent = options.sample === undefined ? undefined : parsePercent(options.sample);
        let startMs: number;
        let findings = 0;
        let totals = { files: 0, filesRead: 0, bytesRead: 0 };
        {
          await using vault = await openVaultFor(context);
          // Not counting the time that somebody took to type.
          startMs = host.now();
          using progress = await showProgress(context, 'check');
          const events = vault.check({
            mode: options.quick ? 'quick' : samplePercent === undefined ? 'full' : 'sample',
            signal,
            onProgress: progress.update,
            ...(items.length === 0 ? {} : { items }),
            ...(samplePercent === undefined ? {} : { samplePercent }),
          });
          for await (const event of events) {
            if (event.type === 'summary') {
              const { files, filesRead, bytesRead } = event;
              totals = { files, filesRead, bytesRead };
              continue;
            }
            findings += 1;
            writeFinding(output, event.finding, host.now());
          }
        }
        const seconds = (host.now() - startMs) / 1000;
        if (output.json) {
          output.record('summary', { command: 'check', ...totals, findings, seconds });
        } else {
          const counted = formatCount(totals.files, 'file');
          const what = options.quick
            ? `names and sizes of ${counted}`
            : samplePercent === undefined
              ? `${counted}, ${formatSize(totals.bytesRead)}`
              : `${String(totals.filesRead)} of ${counted}, ${formatSize(totals.bytesRead)}`;
          const result = findings === 0 ? 'nothing is wrong' : formatCount(findings, 'finding');
          output.info(`Checked ${what}, in ${formatDuration(seconds)}: ${result}.`);
        }
        return exitCode(findings === 0 ? 'done' : 'findings');
      }),
    );
}
