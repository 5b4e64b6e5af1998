import type { AddEvent, Vault } from '@coffer/vault';
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { CliError, usageError } from '../cli-error.ts';
import { type Context, type RunCommand, showProgress } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { collect } from '../global-options.ts';
import { chooseSecretSource, readsStdin } from '../input/secret-source.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount, formatDuration, formatSize } from '../output/format.ts';
import type { Progress } from '../output/progress.ts';
import { fileRecord } from '../output/records.ts';

interface AddOptions {
  readonly recursive: boolean;
  readonly name?: string | undefined;
  readonly folder?: string | undefined;
  readonly tag: readonly string[];
  readonly exclude: readonly string[];
  readonly onConflict: 'skip' | 'rename' | 'replace' | 'fail';
  readonly dryRun: boolean;
}

/** `coffer add`: takes files, folders and stdin into the vault. */
export function registerAdd(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('add')
    .summary('take files, folders or stdin into the vault')
    .description(
      'Takes files into the vault. The sources stay as they are. Links, pipes, sockets and devices are never opened: each is ' +
        'named and skipped (exit 3). Prints the path of every added file.',
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
    .option('-n, --dry-run', 'only say what would be added', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer add letter.pdf --folder papers --tag 2025\n  coffer add -r photos --exclude "*.tmp"\n' +
        '  pg_dump shop | coffer add - --name shop.sql --folder backups\n  coffer add -- -name-with-a-dash',
    )
    .action((paths, options) => run((context) => add(context, paths, options)));
}

async function add(context: Context, paths: readonly string[], options: AddOptions): Promise<number> {
  const { output, host } = context;
  if (paths.includes('-')) checkStdin(context, paths, options);
  let startMs: number;
  const outcome = new Outcome();
  const total = { added: 0, planned: 0, skippedExisting: 0, sizeBytes: 0 };
  {
    await using vault = await openVaultFor(context);
    // Not counting the time that somebody took to type.
    startMs = host.now();
    using progress = await showProgress(context, 'add');
    for await (const event of addEvents(context, vault, paths, options, progress.update)) {
      report(context, event, outcome, total);
    }
  }
  const seconds = (host.now() - startMs) / 1000;
  const { failed } = outcome;
  if (output.json) {
    const { added, planned, skippedExisting, sizeBytes } = total;
    output.record('summary', {
      command: 'add',
      dryRun: options.dryRun,
      added,
      ...(options.dryRun ? { planned } : {}),
      skippedExisting,
      failed,
      sizeBytes,
      seconds,
    });
  } else if (outcome.isLoneFailure) {
    return outcome.exitCode;
  } else if (options.dryRun) {
    output.info(`Would add ${formatCount(total.planned, 'file')}, ${formatSize(total.sizeBytes)}.`);
  } else {
    const parts = [
      `Added ${formatCount(total.added, 'file')}, ${formatSize(total.sizeBytes)}, in ${formatDuration(seconds)}`,
    ];
    if (total.skippedExisting > 0)
      parts.push(`left out ${formatCount(total.skippedExisting, 'file')} whose path is taken`);
    if (failed > 0) parts.push(`${formatCount(failed, 'source')} not added`);
    output.info(`${parts.join('; ')}.`);
  }
  return outcome.exitCode;
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
  vault: Vault,
  paths: readonly string[],
  { recursive, name, folder, tag, exclude, onConflict, dryRun }: AddOptions,
  onProgress: (progress: Progress) => void,
): AsyncGenerator<AddEvent> {
  const common = {
    tags: tag,
    onConflict,
    signal,
    onProgress,
    ...(folder === undefined ? {} : { folder }),
  };
  if (paths[0] === '-' && name !== undefined) {
    yield await vault.addStream(host.stdin, { ...common, name });
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

type Skipped = Extract<AddEvent, { type: 'skipped' }>;

const SKIP_REASONS: Readonly<Record<Skipped['reason'], string>> = {
  link: 'a symbolic link, not added',
  fifo: 'a pipe, not added',
  socket: 'a socket, not added',
  device: 'a device, not added',
  vault: 'the vault itself, not added',
  folder: 'a folder, not added without -r',
  exists: 'left out: the path is taken',
};

function report(
  { output }: Context,
  event: AddEvent,
  outcome: Outcome,
  total: { added: number; planned: number; skippedExisting: number; sizeBytes: number },
): void {
  switch (event.type) {
    case 'added': {
      outcome.succeed();
      total.added += 1;
      total.sizeBytes += event.file.sizeBytes;
      if (output.json)
        output.record('file', { ...fileRecord(event.file), source: event.source, replaced: event.replaced });
      else if (!output.quiet) output.line(escapeName(event.file.path));
      return;
    }
    case 'planned': {
      outcome.succeed();
      total.planned += 1;
      total.sizeBytes += event.sizeBytes;
      const { source, path, sizeBytes } = event;
      if (output.json) output.record('file', { planned: true, source, path, sizeBytes });
      else output.line(escapeName(path));
      return;
    }
    case 'skipped': {
      const { source, reason } = event;
      const text = SKIP_REASONS[reason];
      if (reason === 'exists') {
        outcome.succeed();
        total.skippedExisting += 1;
        output.detail(`${source}: ${text}`);
        return;
      }
      const failure = describeFailure(
        new CliError('SKIPPED', text, reason === 'folder' ? { exit: 'usage' } : {}),
      );
      outcome.fail(failure.exit);
      output.failure(failure, source);
      return;
    }
    case 'failed': {
      const failure = describeFailure(event.error);
      outcome.fail(failure.exit);
      output.failure(failure, event.source);
    }
  }
}
