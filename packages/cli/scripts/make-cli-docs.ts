// Writes docs/cli.md from the help and the tables of the program itself: node --conditions=@coffer/source scripts/make-cli-docs.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describeTopic, HELP_TOPICS } from '../src/help-topics.ts';
import { createProgram } from '../src/program.ts';

/** Where the page is kept. */
export const CLI_DOCS_PATH: string = join(import.meta.dirname, '..', '..', '..', 'docs', 'cli.md');

const INTRODUCTION = `# The command line

This page is made by \`packages/cli/scripts/make-cli-docs.ts\` from the program's own help; edit that, not this.

ITEM is a path (\`folder/name\`), a unique name, a folder, or the beginning of an id (4 digits or more), in that order. \`id:\` before it
forces an id, a slash at its end a folder. A name that begins with a dash goes after \`--\`.`;

const PROMISES = `## What you can rely on

- stdout carries data and nothing else. Errors (\`coffer: error: …\`), hints (\`coffer: hint: …\`), warnings, totals, progress and questions
  never go there.
- One line is one name, on a terminal and in a pipe alike. A name with control characters, marks that reorder or hide text, or broken
  characters is written in the shell's form, \`$'two\\nlines'\`, which bash and zsh read back as the same name. So \`coffer ls | head\` is as safe
  as \`coffer ls\`. \`-0\` (ls, find) and \`--json\` give every name exactly as it is.
- In a pipe \`-l\` writes tabs, whole ids, bytes and ISO 8601 dates instead of aligned columns.
- Questions are asked on the terminal device, so they work while stdin and stdout are pipes. Where nobody can be asked (no terminal,
  \`--no-input\`, \`CI\` set) the exit code is 4 and nothing has happened. \`rm\` of several items or of a folder, and \`key rm\`, then need \`-y\`.
- When the reader of stdout goes away (\`coffer cat film | head -c 100\`) it is no error: \`cat\`, \`ls\` and \`find\` stop, \`add\`, \`get\` and \`rm\`
  finish their work silently. Anything else that keeps stdout from being written (a full disk) exits 17.
- Ctrl-C and SIGTERM stop the command and leave the vault clean, with exit 130 and 143: what was reported as done stays done, nothing
  half-done remains. A second one ends the process at once; the next command cleans up the vault, as it does
  after a crash. A \`get\` that is killed so may leave a hidden \`.coffer-….tmp\` beside its destination, with what it had restored by then.
- Secrets are never arguments. \`--passphrase-command\` is run by the shell, without our stdin.
- A progress bar appears after a second, when stderr is a terminal. \`--progress json\` and \`plain\` work anywhere.`;

/** The whole page. */
export function renderCliDocs(): string {
  let help = '';
  const program = createProgram({
    execute: () => Promise.resolve(),
    writeHelp: (text) => {
      help += text;
    },
    writeUsage: () => undefined,
  });
  const helpOf = (command: CommandUnknownOpts): string => {
    help = '';
    command.outputHelp();
    return `\`\`\`text\n${help.trimEnd()}\n\`\`\``;
  };
  const commands = program.commands.flatMap((command) => [
    `### coffer ${command.name()}`,
    helpOf(command),
    ...command.commands.flatMap((inner) => [`#### coffer ${command.name()} ${inner.name()}`, helpOf(inner)]),
  ]);
  const topics = HELP_TOPICS.flatMap((topic) => {
    const { title, introduction, entries } = describeTopic(topic);
    const list = entries.map(({ name, meaning }) => `- \`${name}\`: ${meaning}`).join('\n');
    return [`## ${title}`, introduction, list];
  });
  return `${[INTRODUCTION, helpOf(program), PROMISES, '## Commands', ...commands, ...topics].join('\n\n')}\n`;
}

if (import.meta.main) writeFileSync(CLI_DOCS_PATH, renderCliDocs());
