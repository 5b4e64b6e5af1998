import type { BackupEvent, BackupSummary } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { type RunCommand, showProgress } from '../context.ts';
import { exitCode } from '../exit-codes.ts';
import { describeFailure } from '../failure.ts';
import { refuseDash } from '../input/refuse-dash.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { fileRecord } from '../output/records.ts';

/** `coffer backup`: the vault in another folder, brought up to date. */
export function registerBackup(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('backup')
    .summary('make a backup of the vault, or bring one up to date')
    .description(
      'Makes DEST a backup of the vault: a folder that opens with the same secrets, with every command that changes nothing. DEST is made, or ' +
        'has to be empty, or an earlier backup of this vault: then only sealed files that it does not have, and the database, are copied. The vault can be used ' +
        'meanwhile. An interrupted backup leaves the earlier one, and goes on the next time. Exit 3 when files of the vault are missing, or known to ' +
        'be damaged (`coffer check` finds out): they are named, and what an earlier backup has of them stays.',
    )
    .argument('<dest>', 'the folder of the backup, on another disk at best')
    .option('--verify', 'read every sealed file of the backup, and copy again what is damaged there', false)
    .option('-n, --dry-run', 'only say what would be copied and removed', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer backup /mnt/usb/coffer\n  coffer check --vault /mnt/usb/coffer   # read everything in it\n' +
        '  coffer restore /mnt/usb/coffer --vault ~/restored',
    )
    .action((destination, { verify, dryRun }) =>
      run(async (context) => {
        refuseDash(destination, 'a backup');
        const { output, host, signal } = context;
        let startMs: number;
        let summary: BackupSummary | undefined;
        {
          await using vault = await openVaultFor(context);
          // Not counting the time that somebody took to type.
          startMs = host.now();
          using progress = await showProgress(context, 'backup');
          const events = vault.backup(destination, { verify, dryRun, signal, onProgress: progress.update });
          for await (const event of events) {
            if (event.type === 'summary') summary = event;
            else report(output, event, dryRun);
          }
        }
        if (summary === undefined) throw new Error('a backup ends with its summary');
        const seconds = (host.now() - startMs) / 1000;
        if (output.json) output.record('summary', { command: 'backup', ...flatten(summary), seconds });
        else output.info(describe(summary, seconds));
        return exitCode(summary.failed === 0 ? 'done' : 'someFailed');
      }),
    );
}

function report(output: Output, event: Exclude<BackupEvent, { type: 'summary' }>, dryRun: boolean): void {
  const planned = dryRun ? { planned: true } : {};
  switch (event.type) {
    case 'failed': {
      const failure = describeFailure(event.error);
      const hint = HINTS[event.has];
      output.failure({ ...failure, hint }, event.file.path);
      return;
    }
    case 'removed': {
      const { id, sizeBytes } = event;
      if (output.json) output.record('file', { action: 'removed', id, sizeBytes, ...planned });
      else say(output, `removed ${id} (no longer in the vault)`, dryRun);
      return;
    }
    default:
      if (output.json) output.record('file', { action: event.type, ...fileRecord(event.file), ...planned });
      else say(output, `${event.type} ${escapeName(event.file.path)}`, dryRun);
  }
}

const HINTS: Readonly<Record<Extract<BackupEvent, { type: 'failed' }>['has'], string>> = {
  'earlier copy': 'the backup keeps its earlier copy: `coffer get --vault DEST` gives it back',
  'damaged copy': 'the backup has what is left of it; look for an older backup',
  nothing: 'the backup has nothing of it; look for an older backup',
};

function say(output: Output, line: string, dryRun: boolean): void {
  if (dryRun) output.line(line);
  else output.detail(line);
}

function flatten(summary: BackupSummary): object {
  const { destination, dryRun, files, sizeBytes, copied, updated, unchanged, removed, failed } = summary;
  return {
    destination,
    dryRun,
    files,
    sizeBytes,
    copiedFiles: copied.files,
    copiedBytes: copied.bytes,
    updatedFiles: updated.files,
    unchangedFiles: unchanged.files,
    unchangedBytes: unchanged.bytes,
    removedFiles: removed.files,
    removedBytes: removed.bytes,
    failed,
  };
}

function describe(summary: BackupSummary, seconds: number): string {
  const { destination, dryRun, files, sizeBytes, copied, updated, unchanged, removed, failed } = summary;
  const all = `${formatCount(files, 'file')}, ${formatSize(sizeBytes)},`;
  const head = dryRun
    ? `Would back up ${all} to ${escapeName(destination)}`
    : `Backed up ${all} to ${escapeName(destination)}, in ${formatDuration(seconds)}`;
  const parts = [`${formatCount(copied.files, 'sealed file')} copied (${formatSize(copied.bytes)})`];
  if (unchanged.files > 0) parts.push(`${unchanged.files.toLocaleString('en-US')} unchanged`);
  if (updated.files > 0) parts.push(`${updated.files.toLocaleString('en-US')} with a new header`);
  if (removed.files > 0) parts.push(`${removed.files.toLocaleString('en-US')} removed`);
  if (failed > 0) parts.push(`${String(failed)} damaged in the vault`);
  return `${head}: ${parts.join(', ')}.`;
}
