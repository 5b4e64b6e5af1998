import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError, usageError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { parseRange } from '../input/parse-range.ts';
import { openVaultFor } from '../open-vault.ts';

/** `coffer cat`: writes content to stdout. */
export function registerCat(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('cat')
    .summary('write the content of a file, or a part of it, to stdout')
    .description(
      'Writes the content of a file to stdout, or only the bytes of --range, of which no more is decrypted than they need. Every ' +
        'byte has been verified before it is written; exit 14 if damage is met on the way.',
    )
    .argument('<item>', 'a path, a unique name, or the beginning of an id')
    .option('--range <range>', 'bytes A-B (from 0, both included), A- (to the end), or -N (the last N)')
    .addHelpText(
      'after',
      '\nExamples:\n  coffer cat film.mp4 | mpv -\n  coffer cat disk.img --range 0-511 | xxd',
    )
    .action((item, options) =>
      run(async (context) => {
        const { output, signal } = context;
        const toRange = options.range === undefined ? undefined : parseRange(options.range);
        await using vault = await openVaultFor(context);
        const resolved = await vault.resolve(item);
        if (resolved.kind === 'folder') {
          throw usageError(`${item} is a folder`, 'cat takes one file; `coffer get` restores folders');
        }
        const { id, sizeBytes } = resolved.file;
        const { start = 0, end } = toRange?.(sizeBytes) ?? {};
        if (start > sizeBytes) {
          throw usageError(
            `${item} has no byte ${String(start)}`,
            `it has ${String(sizeBytes)}, counted from 0`,
          );
        }
        let isFirst = true;
        for await (const chunk of vault.read(`id:${id}`, {
          start,
          signal,
          transient: true,
          ...(end === undefined ? {} : { end }),
        })) {
          if (isFirst && output.isTerminal && chunk.includes(0)) {
            throw new CliError('USAGE', `${item} is not text, and stdout is a terminal`, {
              hint: 'send it to a file or another program, or use `coffer get`',
            });
          }
          isFirst = false;
          await output.bytes(chunk);
          if (output.isClosed) break;
        }
        return undefined;
      }),
    );
}
