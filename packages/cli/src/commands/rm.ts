import type { VaultClient } from '@coffer/host';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError } from '../cli-error.ts';
import type { Context, ChangeCommand } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { askYesNo } from '../input/prompt.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatSize } from '../output/format.ts';
import { fileRecord } from '../output/records.ts';

interface RmOptions {
  readonly recursive: boolean;
  readonly shred: boolean;
  readonly dryRun: boolean;
}

/** `coffer rm`: removes files and folders. */
export function registerRm(program: CommandUnknownOpts, change: ChangeCommand): void {
  program
    .command('rm')
    .summary('remove files and folders from the vault')
    .description(
      'Removes files from the vault, for good. One file goes without a question. Several items, or a folder (with -r), are asked ' +
        'about on the terminal; where nobody can be asked they are removed only with -y (else exit 4). Prints the path of every ' +
        'removed file. An item that could mean two things is refused. A sealed file is overwritten where its key is before it is unlinked. With ' +
        '--shred the database is cleared as well, before the command ends: no live file of the vault has a key or a byte of what was removed. ' +
        'That reads the whole database, and may need the space of a second one: without it the command says what is not shredded and ends with another exit code than 0, the next commands try again, and `coffer doctor` tells. ' +
        'Texts below 8 bytes, and what a file was called before it was moved, are overwritten too, but not looked for where SQLite may have left copies. ' +
        'Backups, snapshots and the drive itself may still keep copies.',
    )
    .argument('<item...>', 'paths, unique names, folders (with -r), or beginnings of ids')
    .option('-r, --recursive', 'remove folders with everything in them', false)
    .option('--shred', 'clear the log and the pages of the database of it, too', false)
    .option('-n, --dry-run', 'only say what would be removed', false)
    .action((items, options) => change((context) => remove(context, items, options), !options.dryRun));
}

async function remove(context: Context, items: readonly string[], options: RmOptions): Promise<number> {
  const { output, signal } = context;
  const { dryRun, recursive, shred } = options;
  const outcome = new Outcome();
  let sizeBytes = 0;
  let shredded = 0;
  {
    await using vault = await openVaultFor(context);
    if (!dryRun) await agree(context, vault, items, options);
    for await (const event of vault.removePaths(items, { recursive, shred, dryRun, signal })) {
      if (event.type === 'failed') {
        const failure = describeFailure(event.error);
        outcome.fail(failure.exit);
        output.failure(failure, event.item);
        continue;
      }
      outcome.succeed();
      sizeBytes += event.file.sizeBytes;
      if (event.type === 'removed' && event.shredded === true) shredded += 1;
      const more = event.type === 'planned' ? { planned: true } : { shredded: event.shredded };
      if (output.json) output.record('file', { ...fileRecord(event.file), ...more });
      else if (dryRun || !output.quiet) output.line(escapeName(event.file.path));
    }
  }
  const { succeeded, failed } = outcome;
  if (output.json) {
    output.record('summary', {
      command: 'rm',
      dryRun,
      ...(dryRun ? { removed: 0, planned: succeeded } : { removed: succeeded }),
      ...(shred && !dryRun ? { shredded } : {}),
      failed,
      sizeBytes,
    });
  } else if (!outcome.isLoneFailure) {
    const failures = failed === 0 ? '' : `; ${String(failed)} failed`;
    const done = shred && shredded === succeeded ? 'Removed and shredded' : 'Removed';
    output.info(
      `${dryRun ? 'Would remove' : done} ${formatCount(succeeded, 'file')}, ${formatSize(sizeBytes)}${failures}.`,
    );
  }
  return outcome.exitCode;
}

/** Asks before more than one named file goes. What can't be removed anyway is not asked about: removing says why. */
async function agree(
  { ask, globals, signal }: Context,
  vault: VaultClient,
  items: readonly string[],
  { recursive }: RmOptions,
): Promise<void> {
  if (globals.yes || (items.length === 1 && !(await isFolder(vault, items[0] ?? '')))) return;
  let fileCount = 0;
  let sizeBytes = 0;
  for await (const event of vault.removePaths(items, { recursive, dryRun: true, signal })) {
    if (event.type !== 'planned') continue;
    fileCount += 1;
    sizeBytes += event.file.sizeBytes;
  }
  if (fileCount === 0) return;
  const agreed = await askYesNo(
    ask,
    `Remove ${formatCount(fileCount, 'file')} (${formatSize(sizeBytes)}) for good?`,
  );
  if (!agreed) throw new CliError('DECLINED', 'nothing was removed');
}

async function isFolder(vault: VaultClient, item: string): Promise<boolean> {
  try {
    return (await vault.resolve(item)).kind === 'folder';
  } catch {
    // Removing reports what is wrong with it.
    return false;
  }
}
