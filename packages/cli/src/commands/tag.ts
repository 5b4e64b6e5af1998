import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { ChangeCommand } from '../context.ts';
import { collect } from '../global-options.ts';
import { openVaultFor } from '../open-vault.ts';
import { escapeName } from '../output/escape.ts';
import { fileRecord } from '../output/records.ts';

/** `coffer tag`: adds, removes and shows tags. */
export function registerTag(program: CommandUnknownOpts, change: ChangeCommand): void {
  program
    .command('tag')
    .summary('add, remove or show tags')
    .description(
      'Adds tags to a file, or to every file of a folder, and removes those of --remove. Without either it shows them. Prints every ' +
        'file with its tags.',
    )
    .argument('<item>', 'a path, a unique name, a folder, or the beginning of an id')
    .argument('[tag...]', 'tags to add')
    .option('--remove <tag>', 'a tag to remove (repeatable)', collect, [] as readonly string[])
    .addHelpText(
      'after',
      '\nExamples:\n  coffer tag photos/beach.jpg summer 2025\n  coffer tag photos --remove draft',
    )
    .action((item, tags, options) =>
      change(
        async (context) => {
          const { output } = context;
          await using vault = await openVaultFor(context);
          const files = await vault.tag(item, { add: tags, remove: options.remove });
          for (const file of files) {
            if (output.json) output.record('file', fileRecord(file));
            else if (!output.quiet)
              output.line(
                [escapeName(file.path), ...file.tags.map((tag) => `#${escapeName(tag)}`)].join('  '),
              );
          }
          if (output.json) output.record('summary', { command: 'tag', files: files.length });
          return undefined;
        },
        tags.length + options.remove.length > 0,
      ),
    );
}
