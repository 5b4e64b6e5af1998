import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { usageError } from '../cli-error.ts';
import type { RunCommand } from '../context.ts';
import { describeTopic, HELP_TOPICS, isHelpTopic } from '../help-topics.ts';
import { wrapText } from '../output/wrap.ts';

const MAX_WIDTH = 100;

/** `coffer help`: the help of a command, or of a topic. */
export function registerHelp(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('help')
    .summary('show the help of a command or a topic')
    .description('Shows the help of a command, or of a topic: exit-codes, json, environment.')
    .argument('[topic...]', 'a command, or a topic')
    .action((words) =>
      run(({ output }) => {
        const [first = '', ...rest] = words;
        if (rest.length === 0 && isHelpTopic(first)) {
          const text = describeTopic(first);
          if (output.json) {
            output.record('help', { topic: first, ...text });
            return Promise.resolve(undefined);
          }
          const width = Math.min(MAX_WIDTH, output.terminalWidth);
          const nameWidth = Math.max(...text.entries.map(({ name }) => name.length)) + 2;
          for (const line of [...wrapText(text.introduction, width), '']) output.line(line);
          for (const { name, meaning } of text.entries) {
            wrapText(meaning, width - nameWidth - 2).forEach((line, index) => {
              output.line(`  ${(index === 0 ? name : '').padEnd(nameWidth)}${line}`);
            });
          }
          return Promise.resolve(undefined);
        }
        findCommand(program, words).outputHelp();
        return Promise.resolve(undefined);
      }),
    );
}

function findCommand(program: CommandUnknownOpts, words: readonly string[]): CommandUnknownOpts {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next === undefined) {
      throw usageError(
        `there is no help on '${words.join(' ')}'`,
        `topics are ${HELP_TOPICS.join(', ')}, and every command`,
      );
    }
    command = next;
  }
  return command;
}
