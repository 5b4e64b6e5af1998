import type { FileQuery } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { collectPages } from '../file-pages.ts';
import { parseDate } from '../input/parse-date.ts';
import { parseSize } from '../input/parse-size.ts';
import { openVaultFor } from '../open-vault.ts';
import { Outcome } from '../outcome.ts';
import { writeFiles } from '../output/file-list.ts';

interface FindOptions {
  readonly tag?: string | undefined;
  readonly type?: string | undefined;
  readonly minSize?: string | undefined;
  readonly maxSize?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly folder?: string | undefined;
}

/** `coffer find`: finds files by name, tag, type, size and date. */
export function registerFind(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('find')
    .summary('find files by name, tag, type, size or date')
    .description(
      'Finds the files whose name or tag contains QUERY (upper or lower case alike) and that meet every other condition. Prints ' +
        'whole paths, one a line. Finding nothing is no error. Files that a damaged database no longer gives are named on stderr (exit 3), whether they would match or not.',
    )
    .argument('[query]', 'a part of the name or of a tag')
    .option('--tag <tag>', 'only files with this tag')
    .option('--type <type>', 'only files of this MIME type (image/png, image/*)')
    .option('--min-size <size>', 'only files of at least this size (1500, 10kB, 2GiB)')
    .option('--max-size <size>', 'only files of at most this size')
    .option('--since <date>', 'only files added since (2025-03-31, today, 12h, 7d, 2w)')
    .option('--until <date>', 'only files added until then')
    .option('--folder <folder>', 'only in this folder and below')
    .option('-l, --long', 'with id, size, date, type and tags', false)
    .option('-0, --null', 'paths as they are, each ended by a NUL, for xargs -0', false)
    .addHelpText(
      'after',
      '\nExamples:\n  coffer find invoice --since 7d\n  coffer find --type "image/*" --min-size 5MB -l',
    )
    .action((text, options) =>
      run(async (context) => {
        const query = toQuery(text, options, context.host.now());
        await using vault = await openVaultFor(context);
        const outcome = new Outcome();
        const report = { output: context.output, outcome };
        await writeFiles(context, [], collectPages(vault, query, report), {
          command: 'find',
          long: options.long,
          null: options.null,
          showsPaths: true,
          outcome,
        });
        return outcome.exitCode;
      }),
    );
}

function toQuery(text: string | undefined, options: FindOptions, nowMs: number): FileQuery {
  const { tag, type, minSize, maxSize, since, until, folder } = options;
  const query: FileQuery = {
    ...(text === undefined ? {} : { text }),
    ...(tag === undefined ? {} : { tag }),
    ...(type === undefined ? {} : { mimeType: type }),
    ...(minSize === undefined ? {} : { minSizeBytes: parseSize(minSize) }),
    ...(maxSize === undefined ? {} : { maxSizeBytes: parseSize(maxSize) }),
    ...(since === undefined ? {} : { createdSinceMs: parseDate(since, nowMs) }),
    ...(until === undefined ? {} : { createdUntilMs: parseDate(until, nowMs) }),
  };
  if (Object.keys(query).length === 0) {
    throw usageError(
      'nothing to look for',
      'give a part of a name, or a condition; `coffer ls -r` lists everything',
    );
  }
  return { ...query, recursive: true, sort: 'path', ...(folder === undefined ? {} : { folder }) };
}
