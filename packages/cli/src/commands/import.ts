import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { type Context, type RunCommand, showProgress } from '../context.ts';
import { collect } from '../global-options.ts';
import { openVaultFor } from '../open-vault.ts';
import { AddReport } from './add-report.ts';

interface ImportOptions {
  readonly into?: string | undefined;
  readonly tag: readonly string[];
  readonly exclude: readonly string[];
  readonly onConflict: 'skip' | 'rename' | 'replace' | 'fail';
  readonly dryRun: boolean;
}

/** `coffer import`: takes everything below a folder into the vault. */
export function registerImport(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('import')
    .summary('take everything below a folder into the vault')
    .description(
      'Takes everything below SRC into the vault, with its folders and modification times; the name of SRC itself is not kept ' +
        '(`coffer add -r` keeps it). SRC stays as it is. Links, pipes, sockets and devices are never opened: each is named and skipped (exit 3). ' +
        'Empty folders are counted, and named with -v. Prints the path of every added file.',
    )
    .argument('<src>', 'a folder')
    .option('--into <folder>', 'the folder in the vault')
    .option('--tag <tag>', 'a tag for every added file (repeatable)', collect, [] as readonly string[])
    .option('--exclude <glob>', 'leave out what matches (repeatable)', collect, [] as readonly string[])
    .addOption(
      new Option('--on-conflict <policy>', 'what to do if the path is taken in the vault')
        .choices(['skip', 'rename', 'replace', 'fail'] as const)
        .default('fail' as const),
    )
    .option('-n, --dry-run', 'only say what would be added', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer import ~/Documents --into documents\n' +
        '  coffer import ~/Documents --into documents --on-conflict skip   # after an interruption',
    )
    .action((source, options) => run((context) => importSource(context, source, options)));
}

async function importSource(context: Context, source: string, options: ImportOptions): Promise<number> {
  const { output, host, signal } = context;
  const { into, tag: tags, exclude, onConflict, dryRun } = options;
  const report = new AddReport(output, { command: 'import', dryRun });
  let startMs: number;
  {
    await using vault = await openVaultFor(context);
    // Not counting the time that somebody took to type.
    startMs = host.now();
    using progress = await showProgress(context, 'import');
    const events = vault.importFolder(source, {
      tags,
      exclude,
      onConflict,
      dryRun,
      signal,
      onProgress: progress.update,
      ...(into === undefined ? {} : { folder: into }),
    });
    for await (const event of events) report.note(event);
  }
  return report.finish((host.now() - startMs) / 1000);
}
