import { createProgram } from '../../packages/cli/src/program.ts';

/** A command with everything that may follow it, from the program's own table. */
export interface CommandWords {
  readonly path: readonly string[];
  readonly options: readonly OptionWords[];
}

interface OptionWords {
  readonly flag: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A process that outlives the test, and the person's keychain. Descriptors of this process and commands of a shell are left out as well. */
const LEFT_OUT: ReadonlySet<string> = new Set(['unlock', '--keychain']);

export function readCommands(): readonly CommandWords[] {
  const program = createProgram({
    execute: () => Promise.resolve(),
    writeHelp: () => undefined,
    writeUsage: () => undefined,
  });
  const globals = program.options.map(toWords).filter(isUsed);
  return program.commands
    .flatMap((command) => [
      { path: [command.name()], options: command.options.map(toWords) },
      ...command.commands.map((below) => ({
        path: [command.name(), below.name()],
        options: below.options.map(toWords),
      })),
    ])
    .filter(({ path: [name = ''] }) => !LEFT_OUT.has(name))
    .map(({ path, options }) => ({ path, options: [...options.filter(isUsed), ...globals] }));
}

function isUsed({ flag }: OptionWords): boolean {
  return !LEFT_OUT.has(flag) && !flag.endsWith('-fd') && !flag.endsWith('-command');
}

function toWords(option: {
  readonly flags: string;
  readonly long?: string | null | undefined;
  readonly required: boolean;
  readonly optional: boolean;
  readonly argChoices?: readonly string[] | undefined;
}): OptionWords {
  return {
    flag: option.long ?? option.flags.split(/[ ,]/)[0] ?? '',
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  };
}

/** What there is in the sandbox, in its vault and beside it. */
export const ITEMS: readonly string[] = [
  ...['folder', 'folder/', 'note', 'a.txt', './a.txt', 'folder/\u001b[2Jb', 'id:', '.'],
];

/** What stands for a value: of every kind that there is, right and wrong. No path of them leads out of the sandbox. */
export const VALUES: readonly string[] = [
  ...[
    'folder',
    'folder/',
    'note',
    'a.txt',
    '.',
    './a.txt',
    'folder/\u001b[2Jb',
    'nothing',
    'id:',
    'id:0',
    '../out',
  ],
  ...[
    '',
    ' ',
    '-',
    '--',
    '-x',
    '--nonsense',
    '--json=1',
    '*',
    '**',
    '[',
    'x'.repeat(5000),
    'a/'.repeat(3000),
  ],
  ...[
    '\u001b[31mred',
    'two\nlines',
    '\r',
    '\u202etxt.exe',
    '\ufffe',
    'e\u0301',
    '\ud800',
    '\u{1f600}',
    "$'x'",
    '%s%n',
    '..',
  ],
  ...[
    '0',
    '1',
    '-1',
    '5%',
    '0%',
    '101%',
    '1e9',
    '9'.repeat(30),
    '0-10',
    '5-',
    '-5',
    '9-1',
    '10kB',
    '8h',
    '2025-03-31',
    'today',
    '7d',
  ],
  ...[
    'image/*',
    'text/plain',
    'path',
    'size',
    'created',
    'json',
    'exit-codes',
    'environment',
    'skip',
    'rename',
    'replace',
    'fail',
  ],
  ...[
    'passphrase',
    '../../key',
    'printf x',
    'false',
    'discordopus',
    'id',
    'abcd',
    '0123456789abcdef0123456789abcdef',
  ],
];
