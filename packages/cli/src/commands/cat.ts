import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { parseRange } from '../input/parse-range.ts';
import { openVaultFor } from '../open-vault.ts';
import { writeContent } from '../write-content.ts';

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
        const toRange = options.range === undefined ? undefined : parseRange(options.range);
        await using vault = await openVaultFor(context);
        await writeContent(context, vault, item, toRange);
        return undefined;
      }),
    );
}
