import type { VaultClient } from '@coffer/host';
import type { FileEntry, FileQuery } from '@coffer/vault';
import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { type Context, type RunCommand } from '../context.ts';
import { collectPages } from '../file-pages.ts';
import { parseDate } from '../input/parse-date.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { writeFiles } from '../output/file-list.ts';
import type { FolderEntry } from '../output/records.ts';

interface LsOptions {
  readonly long: boolean;
  readonly recursive: boolean;
  readonly tag?: string | undefined;
  readonly type?: string | undefined;
  readonly since?: string | undefined;
  readonly sort: 'name' | 'size' | 'created' | 'modified';
  readonly reverse: boolean;
  readonly null: boolean;
}

/** `coffer ls`: lists a folder. */
export function registerLs(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('ls')
    .summary('list files and folders')
    .description(
      'Lists a folder of the vault, folders first: in columns on a terminal, one name a line in a pipe. With -r, --tag, --type or ' +
        "--since it looks in all folders below as well and lists whole paths. A name with control characters is written as $'…'; " +
        '-0 and --json give every name exactly. Where pages of the database are damaged, what can be read is listed, and the rest is named on stderr (exit 3).',
    )
    .argument('[folder]', 'the folder to list', '')
    .option('-l, --long', 'with id, size, date, type and tags', false)
    .option('-r, --recursive', 'everything below, with whole paths', false)
    .option('--tag <tag>', 'only files with this tag')
    .option('--type <type>', 'only files of this MIME type (image/png, image/*)')
    .option('--since <date>', 'only files added since (2025-03-31, today, 12h, 7d, 2w)')
    .addOption(
      new Option('--sort <key>', 'by name, by size (largest first), by created or modified (newest first)')
        .choices(['name', 'size', 'created', 'modified'] as const)
        .default('name' as const),
    )
    .option('--reverse', 'the other way round', false)
    .option('-0, --null', 'whole paths as they are, each ended by a NUL, for xargs -0', false)
    .action((folder, options) => run((context) => list(context, folder, options)));
}

async function list(context: Context, item: string, options: LsOptions): Promise<number> {
  const query = toQuery(options, context.host.now());
  await using vault = await openVaultFor(context);
  const { folder, file } = await whatToList(vault, item);
  const folders = query.recursive === true || file !== undefined ? [] : await vault.folders(folder);
  const outcome = new Outcome();
  const report = { output: context.output, outcome };
  const files = file === undefined ? collectPages(vault, { ...query, folder }, report) : [[file]];
  await writeFiles(context, sortFolders(folders, options.reverse && options.sort === 'name'), files, {
    command: 'ls',
    long: options.long,
    null: options.null,
    showsPaths: query.recursive === true,
    outcome,
  });
  return outcome.exitCode;
}

function toQuery({ recursive, tag, type, since, sort, reverse }: LsOptions, nowMs: number): FileQuery {
  const looksBelow = recursive || tag !== undefined || type !== undefined || since !== undefined;
  return {
    recursive: looksBelow,
    // Whole paths are sorted as such, so that a folder's files stay together.
    sort: sort === 'name' && looksBelow ? 'path' : sort,
    descending: (sort !== 'name') !== reverse,
    ...(tag === undefined ? {} : { tag }),
    ...(type === undefined ? {} : { mimeType: type }),
    ...(since === undefined ? {} : { createdSinceMs: parseDate(since, nowMs) }),
  };
}

/** A file that is named is listed itself, as `ls` does. */
async function whatToList(vault: VaultClient, item: string): Promise<{ folder: string; file?: FileEntry }> {
  if (item === '' || item === '/') return { folder: '' };
  const resolved = await vault.resolve(item);
  return resolved.kind === 'folder' ? { folder: resolved.folder } : { folder: '', file: resolved.file };
}

function sortFolders(folders: readonly FolderEntry[], reverse: boolean): FolderEntry[] {
  return reverse ? folders.toReversed() : [...folders];
}
