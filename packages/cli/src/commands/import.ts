import type { VaultClient } from '@coffer/host';
import type { AddEvent } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { type Context, type ChangeCommand, showProgress } from '../context.ts';
import { usageError } from '../cli-error.ts';
import { collect, parseFd } from '../global-options.ts';
import { SOURCE_KEY_FLAGS, readSourceKeys } from '../input/source-keys.ts';
import type { SourceKeyOptions, SourceKeys } from '../input/source-keys.ts';
import { openVaultFor } from '../open-vault.ts';
import type { Progress } from '../output/progress.ts';
import { AddReport } from './add-report.ts';

interface ImportOptions extends SourceKeyOptions {
  readonly from: 'folder' | 'discordopus';
  readonly into?: string | undefined;
  readonly tag: readonly string[];
  readonly exclude: readonly string[];
  readonly onConflict?: 'skip' | 'rename' | 'replace' | 'fail' | undefined;
  readonly dryRun: boolean;
}

/** `coffer import`: takes everything below a folder, or of a vault of the original application, into the vault. */
export function registerImport(program: CommandUnknownOpts, change: ChangeCommand): void {
  program
    .command('import')
    .summary('take everything below a folder, or of another vault, into the vault')
    .description(
      'Takes everything below SRC into the vault, with its folders and modification times; the name of SRC itself is not kept ' +
        '(`coffer add -r` keeps it). SRC stays as it is. Links, pipes, sockets and devices are never opened: each is named and skipped (exit 3). ' +
        'Empty folders are counted, and named with -v. Prints the path of every added file.\n\n' +
        'With --from discordopus, SRC is a vault of the original Python application: a folder with data.db (SQLCipher 4) and files/ (Fernet tokens). ' +
        'Every size and SHA-256 that it records is checked; each file that is damaged is named and left out (exit 14, or 3 when others succeeded). A name that is taken is numbered; ' +
        'what the vault has already under that name, with the same content, is left out, so it can be run again. ' +
        'A key file holds 32 bytes, 64 hexadecimal digits, or the 44 characters of a Fernet key.',
    )
    .argument('<src>', 'a folder')
    .addOption(
      new Option('--from <kind>', 'what SRC is')
        .choices(['folder', 'discordopus'] as const)
        .default('folder' as const),
    )
    .option('--into <folder>', 'the folder in the vault')
    .option('--tag <tag>', 'a tag for every added file (repeatable)', collect, [] as readonly string[])
    .option('--exclude <glob>', 'leave out what matches (repeatable)', collect, [] as readonly string[])
    .addOption(
      new Option(
        '--on-conflict <policy>',
        'what to do if the path is taken in the vault (if not given: fail, from discordopus rename)',
      ).choices(['skip', 'rename', 'replace', 'fail'] as const),
    )
    .option('-n, --dry-run', 'only say what would be added (discordopus: after checking all of it)', false)
    .optionsGroup('With --from discordopus:')
    .option('--database-key-file <file>', 'the raw key of data.db')
    .option('--database-key-fd <number>', 'the same, from this file descriptor', parseFd)
    .option('--database-passphrase-file <file>', 'the passphrase of data.db, if SQLCipher derives its key')
    .option('--database-passphrase-fd <number>', 'the same, from this file descriptor', parseFd)
    .option('--fernet-key-file <file>', 'the Fernet key of the files in files/')
    .option('--fernet-key-fd <number>', 'the same, from this file descriptor', parseFd)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer import ~/Documents --into documents\n' +
        '  coffer import ~/Documents --into documents --on-conflict skip   # after an interruption\n' +
        '  coffer import --from discordopus ~/old --database-key-file db.key --fernet-key-file fernet.key -n',
    )
    .action((source, options) =>
      change((context) => importSource(context, source, options), !options.dryRun),
    );
}

async function importSource(context: Context, source: string, options: ImportOptions): Promise<number> {
  const { output, host } = context;
  checkOptions(options);
  using keys = options.from === 'folder' ? undefined : await readSourceKeys(options, host);
  const report = new AddReport(output, { command: 'import', dryRun: options.dryRun });
  let startMs: number;
  {
    await using vault = await openVaultFor(context);
    // Not counting the time that somebody took to type.
    startMs = host.now();
    using progress = await showProgress(context, 'import');
    for await (const event of importEvents(context, vault, source, options, keys, progress.update))
      report.note(event);
  }
  return report.finish((host.now() - startMs) / 1000);
}

function checkOptions(options: ImportOptions): void {
  if (options.from === 'discordopus') {
    if (options.exclude.length > 0) throw usageError('--exclude is for folders', 'leave it out');
    return;
  }
  for (const [name, flag] of Object.entries(SOURCE_KEY_FLAGS)) {
    if (options[name as keyof SourceKeyOptions] !== undefined)
      throw usageError(`${flag} is for vaults of the original application`, 'add --from discordopus');
  }
}

function importEvents(
  { signal }: Context,
  vault: VaultClient,
  source: string,
  { into, tag, exclude, onConflict, dryRun }: ImportOptions,
  keys: SourceKeys | undefined,
  onProgress: (progress: Progress) => void,
): AsyncIterable<AddEvent> {
  const common = {
    tags: tag,
    dryRun,
    signal,
    onProgress,
    ...(into === undefined ? {} : { folder: into }),
    ...(onConflict === undefined ? {} : { onConflict }),
  };
  if (keys === undefined) return vault.importFolder(source, { ...common, exclude });
  return vault.importDiscordopus(source, { ...common, ...keys.secrets });
}
