import type { VaultClient } from '@coffer/host';
import type { AddEvent } from '@coffer/vault';
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import { type Context, type ChangeCommand, showProgress } from '../context.ts';
import { collect } from '../global-options.ts';
import { chooseSecretSource, readsStdin } from '../input/secret-source.ts';
import { stdinPieces, untilStdinSpeaks } from '../input/stdin-pieces.ts';
import { openVaultFor } from '../open-vault.ts';
import type { Progress } from '../output/progress.ts';
import { AddReport } from './add-report.ts';

interface AddOptions {
  readonly recursive: boolean;
  readonly name?: string | undefined;
  readonly folder?: string | undefined;
  readonly tag: readonly string[];
  readonly exclude: readonly string[];
  readonly onConflict: 'skip' | 'rename' | 'replace' | 'fail';
  readonly dryRun: boolean;
  readonly sha256?: string | undefined;
}

/** `coffer add`: takes files, folders and stdin into the vault. */
export function registerAdd(program: CommandUnknownOpts, change: ChangeCommand): void {
  program
    .command('add')
    .summary('take files, folders or stdin into the vault')
    .description(
      'Takes files into the vault. The sources stay as they are. Links, pipes, sockets and devices are never opened: each is ' +
        'named and skipped (exit 3). Names are kept in the composed form of Unicode (NFC). Prints the path of every added file.',
    )
    .argument('<path...>', 'files, folders (with -r), or - for stdin (with --name)')
    .option('-r, --recursive', 'take folders with everything in them', false)
    .option('--name <name>', 'the name in the vault, for one file or stdin')
    .option('--folder <folder>', 'the folder in the vault')
    .option('--tag <tag>', 'a tag for every added file (repeatable)', collect, [] as readonly string[])
    .option('--exclude <glob>', 'leave out what matches (repeatable)', collect, [] as readonly string[])
    .addOption(
      new Option('--on-conflict <policy>', 'what to do if the path is taken in the vault')
        .choices(['skip', 'rename', 'replace', 'fail'] as const)
        .default('fail' as const),
    )
    .option('--sha256 <hex>', 'refuse content that has another SHA-256, of one file or stdin')
    .option('-n, --dry-run', 'only say what would be added', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer add letter.pdf --folder papers --tag 2025\n  coffer add -r photos --exclude "*.tmp"\n' +
        '  pg_dump shop | coffer add - --name shop.sql --folder backups\n  coffer add -- -name-with-a-dash',
    )
    .action((paths, options) => change((context) => add(context, paths, options), !options.dryRun));
}

async function add(context: Context, paths: readonly string[], options: AddOptions): Promise<number> {
  const { output, host } = context;
  if (paths.includes('-')) {
    checkStdin(context, paths, options);
    // Two commands of one pipe must not ask on one terminal at the same time: the other one comes first.
    if (chooseSecretSource(context.globals, host.env).kind === 'ask') await untilStdinSpeaks(context);
  }
  const report = new AddReport(output, { command: 'add', dryRun: options.dryRun });
  let startMs: number;
  {
    await using vault = await openVaultFor(context);
    // Not counting the time that somebody took to type.
    startMs = host.now();
    using progress = await showProgress(context, 'add');
    for await (const event of addEvents(context, vault, paths, options, progress.update)) report.note(event);
  }
  return report.finish((host.now() - startMs) / 1000);
}

function checkStdin({ globals, host }: Context, paths: readonly string[], options: AddOptions): void {
  if (paths.length > 1)
    throw usageError('- (stdin) can only be added alone', 'a file that is called - is ./-');
  if (options.name === undefined) throw usageError('stdin has no name', 'give it one with --name NAME');
  if (options.dryRun) throw usageError('--dry-run has nothing to say about stdin');
  if (readsStdin(chooseSecretSource(globals, host.env))) {
    throw usageError(
      'stdin can be the content or the passphrase, not both',
      'use another file descriptor, or --passphrase-file',
    );
  }
}

async function* addEvents(
  { host, signal }: Context,
  vault: VaultClient,
  paths: readonly string[],
  { recursive, name, folder, tag, exclude, onConflict, dryRun, sha256 }: AddOptions,
  onProgress: (progress: Progress) => void,
): AsyncGenerator<AddEvent> {
  const common = {
    tags: tag,
    onConflict,
    signal,
    onProgress,
    ...(folder === undefined ? {} : { folder }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
  if (paths[0] === '-' && name !== undefined) {
    yield await vault.addStream(stdinPieces(host), { ...common, name });
    return;
  }
  yield* vault.addPaths(paths, {
    ...common,
    recursive,
    exclude,
    dryRun,
    ...(name === undefined ? {} : { name }),
  });
}
