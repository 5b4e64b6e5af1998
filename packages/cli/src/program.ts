import { Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { registerAdd } from './commands/add.ts';
import { registerBackup } from './commands/backup.ts';
import { registerCat } from './commands/cat.ts';
import { registerCheck } from './commands/check.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerExport } from './commands/export.ts';
import { registerFind } from './commands/find.ts';
import { registerGet } from './commands/get.ts';
import { registerHelp } from './commands/help.ts';
import { registerImport } from './commands/import.ts';
import { registerInfo } from './commands/info.ts';
import { registerInit } from './commands/init.ts';
import { registerKey } from './commands/key.ts';
import { registerLock } from './commands/lock.ts';
import { registerLs } from './commands/ls.ts';
import { registerMv } from './commands/mv.ts';
import { registerPaths } from './commands/paths.ts';
import { registerQuarantine } from './commands/quarantine.ts';
import { registerRestore } from './commands/restore.ts';
import { registerRm } from './commands/rm.ts';
import { registerStatus } from './commands/status.ts';
import { registerTag } from './commands/tag.ts';
import { registerUnlock } from './commands/unlock.ts';
import { registerVersion } from './commands/version.ts';
import type { Work } from './context.ts';
import { type GlobalOptions, parseFd } from './global-options.ts';
import { refuseUnchangeable } from './refuse-unchangeable.ts';

export interface ProgramPort {
  /** Runs the work of the command that was parsed, with the global options that were given. */
  readonly execute: (globals: GlobalOptions, work: Work) => Promise<void>;
  /** Takes the help that was asked for. */
  readonly writeHelp: (text: string) => void;
  /** Takes the help that is shown because a command is missing. */
  readonly writeUsage: (text: string) => void;
}

/** What help says of an option: its choices and its default, where it has one to speak of. */
function describeOption(option: {
  description: string;
  argChoices?: string[];
  defaultValue?: unknown;
}): string {
  const { description, argChoices, defaultValue } = option;
  if (argChoices === undefined) return description;
  const choices = `${description}: ${argChoices.join(', ')}`;
  return typeof defaultValue === 'string' ? `${choices} (default: ${defaultValue})` : choices;
}

/** The whole command line: global options and every command. */
export function createProgram({ execute, writeHelp, writeUsage }: ProgramPort): CommandUnknownOpts {
  const program = new Command('coffer')
    .description('Keeps files encrypted at rest.')
    .usage('COMMAND [OPTION…] [ARGUMENT…]')
    .exitOverride()
    // Errors are reported by `main`, in one form for people and one for --json.
    .configureOutput({ writeOut: writeHelp, writeErr: writeUsage, outputError: () => undefined })
    .configureHelp({ helpWidth: 100, optionDescription: describeOption })
    .helpCommand(false)
    .helpOption('-h, --help', 'show help')
    .optionsGroup('Global options (before or after the command):')
    .option('--vault <dir>', 'the folder of the vault (COFFER_VAULT)')
    .option('--json', 'one JSON object a line: data on stdout, errors on stderr', false)
    .option('-q, --quiet', 'say nothing but data, warnings and errors', false)
    .option('-v, --verbose', 'say what is going on', false)
    .addOption(
      new Option('--color <when>', 'colour the output')
        .choices(['auto', 'always', 'never'] as const)
        .default('auto' as const),
    )
    .addOption(
      new Option('--progress <how>', 'show progress of what takes more than a second')
        .choices(['auto', 'plain', 'json', 'none'] as const)
        .default('auto' as const),
    )
    .option('--no-input', 'never ask; exit 4 where an answer is needed')
    .option('-y, --yes', 'agree to everything that would be asked', false)
    .option('-V, --version', 'show the version')
    .optionsGroup(
      'Secrets (else COFFER_PASSPHRASE_FILE, COFFER_KEYFILE, the keychain, or a question on the terminal):',
    )
    .option('--passphrase-file <file>', 'the passphrase is what the file holds')
    .option('--passphrase-fd <number>', 'the passphrase is read from this file descriptor', parseFd)
    .option('--passphrase-command <command>', 'the passphrase is what the command prints')
    .option('--keyfile <file>', 'the vault opens with this key file (COFFER_KEYFILE)')
    .option('--recovery-code-file <file>', 'the recovery code is what the file holds');
  const run = (work: Work): Promise<void> => execute(program.opts(), work);
  const change = (work: Work, doesChange = true): Promise<void> =>
    run(async (context) => {
      if (doesChange) await refuseUnchangeable(context);
      return await work(context);
    });

  program.commandsGroup('Vault:');
  registerInit(program, run);
  registerUnlock(program, run);
  registerLock(program, run);
  registerStatus(program, run);
  registerCheck(program, run);
  registerDoctor(program, run);
  registerQuarantine(program, run, change);
  registerKey(program, run, change);
  registerBackup(program, run);
  registerRestore(program, run);
  program.commandsGroup('Files:');
  registerAdd(program, change);
  registerLs(program, run);
  registerFind(program, run);
  registerInfo(program, run);
  registerGet(program, run);
  registerCat(program, run);
  registerMv(program, change);
  registerTag(program, change);
  registerRm(program, change);
  registerExport(program, run);
  registerImport(program, change);
  program.commandsGroup('This program:');
  registerPaths(program, run);
  registerVersion(program, run);
  registerHelp(program, run);
  addGlobalFlags(program);
  return program;
}

const GLOBAL_FLAGS = [
  { flags: '-q, --quiet', name: 'quiet' },
  { flags: '-v, --verbose', name: 'verbose' },
  { flags: '-y, --yes', name: 'yes' },
] as const;

/**
 * Points to the global options in the help of every command, and makes `rm -ry` mean `rm -r -y`: a cluster that begins with a flag of the command never reaches the program's own parser, so every command
 * knows the global flags as well, unseen in its help, and passes them on.
 */
function addGlobalFlags(program: CommandUnknownOpts): void {
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
    for (const { flags } of GLOBAL_FLAGS) command.addOption(new Option(flags).hideHelp());
    command.addHelpText('after', '\n`coffer help` shows the options that every command takes.');
  }
  program.hook('preAction', (_program, command) => {
    for (const { name } of GLOBAL_FLAGS) {
      if (command.getOptionValueSource(name) === 'cli') program.setOptionValueWithSource(name, true, 'cli');
    }
  });
}
