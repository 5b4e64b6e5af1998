import type { ExportEvent } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type RunCommand, showProgress } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { refuseDash } from '../input/refuse-dash.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { fileRecord } from '../output/records.ts';

interface Totals {
  exported: number;
  kept: number;
  sizeBytes: number;
}

/** `coffer export`: plain files and folders, as they are in the vault. */
export function registerExport(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('export')
    .summary('write everything, or some items, to a folder as plain files')
    .description(
      'Writes plain files to DIR, each under its whole path in the vault, with its modification time: everything, or only some ' +
        'items. DIR is made (for you alone, 0700) or has to be empty (else exit 16). Every file is verified before it appears. What ' +
        'is damaged, or has a name that the disk does not take, is named and left out (exit 14, or 3 when others succeeded). Tags, file modes and folders ' +
        'without files are not in an export; `coffer backup` keeps all there is. Prints where every file is.',
    )
    .argument('<dir>', 'the folder to write to')
    .argument('[item...]', 'paths, unique names, folders, or beginnings of ids; everything when not given')
    .option('-f, --force', 'replace files that are there already', false)
    .option(
      '--skip-existing',
      'go on with an earlier export: keep what is there with the same SHA-256',
      false,
    )
    .option('--checksums', 'write SHA256SUMS too, for `sha256sum -c`', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer export ~/everything --checksums && (cd ~/everything && sha256sum -c --quiet SHA256SUMS)\n' +
        '  coffer export ~/everything --skip-existing --checksums   # after an interruption\n' +
        '  coffer export /mnt/usb/photos photos/2024 photos/2025',
    )
    .action((directory, items, options) =>
      run(async (context) => {
        refuseDash(directory, 'an export', '`coffer cat` writes one file to it');
        const { output, host, signal } = context;
        let startMs: number;
        const outcome = new Outcome();
        const totals: Totals = { exported: 0, kept: 0, sizeBytes: 0 };
        {
          await using vault = await openVaultFor(context);
          // Not counting the time that somebody took to type.
          startMs = host.now();
          using progress = await showProgress(context, 'export');
          const events = vault.exportPaths(items, {
            destination: directory,
            force: options.force,
            skipExisting: options.skipExisting,
            checksums: options.checksums,
            signal,
            onProgress: progress.update,
          });
          for await (const event of events) report(output, event, outcome, totals);
        }
        const seconds = (host.now() - startMs) / 1000;
        const { failed } = outcome;
        if (output.json) {
          output.record('summary', { command: 'export', ...totals, failed, seconds });
        } else if (!outcome.isLoneFailure) {
          output.info(describe(totals, failed, seconds));
        }
        return outcome.exitCode;
      }),
    );
}

function report(output: Output, event: ExportEvent, outcome: Outcome, totals: Totals): void {
  if (event.type === 'failed') {
    const failure = describeFailure(event.error);
    outcome.fail(failure.exit);
    output.failure(failure, event.item);
    return;
  }
  const { type, destination } = event;
  if (type === 'checksums') {
    output.detail(`${destination}: the checksums of ${formatCount(event.files, 'file')}`);
    return;
  }
  outcome.succeed();
  totals[type] += 1;
  totals.sizeBytes += event.file.sizeBytes;
  const kept = type === 'kept' ? { kept: true } : {};
  if (output.json) output.record('file', { ...fileRecord(event.file), destination, ...kept });
  else if (type === 'kept') output.detail(`${destination}: there already, the same`);
  else if (!output.quiet) output.line(escapeName(destination));
}

function describe({ exported, kept, sizeBytes }: Totals, failed: number, seconds: number): string {
  const parts = [
    `Exported ${formatCount(exported, 'file')}, ${formatSize(sizeBytes)} in all, in ${formatDuration(seconds)}`,
  ];
  if (kept > 0) parts.push(`${formatCount(kept, 'file')} there already`);
  if (failed > 0) parts.push(`${String(failed)} failed`);
  return `${parts.join('; ')}.`;
}
