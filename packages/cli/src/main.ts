import { CliError, usageError } from './cli-error.ts';
import { printVersion } from './commands/version.ts';
import { createContext, type Work } from './context.ts';
import { exitCode } from './exit-codes.ts';
import { describeFailure } from './failure.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Host } from './host.ts';
import { Output } from './output/output.ts';

/**
 * Runs one command line (without `node` and the program's name) and returns its exit code. Never throws: what fails is
 * reported on the host's stderr. Returns when all output has been taken.
 */
export async function main(argv: readonly string[], host: Host): Promise<number> {
  const flags = flagsOf(argv);
  let output = new Output(host, {
    json: flags.includes('--json'),
    quiet: false,
    verbose: flags.includes('-v') || flags.includes('--verbose'),
    color: 'auto',
  });
  let code = exitCode('done');
  let advise: Advise = (suggestion) => suggestion ?? GENERAL_ADVICE;
  const fail = (error: unknown): void => {
    const failure = describeFailure(error);
    output.failure(failure);
    code = exitCode(failure.exit);
  };
  try {
    if (flags.includes('--version') || flags.includes('-V')) {
      printVersion(output);
    } else {
      // Later, so that --version need not wait for it.
      const [{ createProgram }, { adviseOnCommand, plainWords }] = await Promise.all([
        import('./program.ts'),
        import('./unknown-command.ts'),
      ]);
      const execute = async (globals: GlobalOptions, work: Work): Promise<void> => {
        output = new Output(host, globals);
        code = (await work(createContext(host, output, globals))) ?? exitCode('done');
      };
      const program = createProgram({
        execute,
        writeHelp: (text) => {
          output.text(text);
        },
        writeUsage: (text) => {
          if (!output.json) host.stderr.write(text);
        },
      });
      const words = plainWords(program, flags);
      const [command = ''] = words;
      if (program.commands.some((known) => known.name() === command)) {
        advise = (suggestion) => suggestion ?? `\`coffer help ${command}\` shows how it is used`;
      } else if (command !== '') {
        advise = (suggestion, code) =>
          code === 'commander.unknownCommand'
            ? adviseOnCommand(program, words, suggestion)
            : (suggestion ?? GENERAL_ADVICE);
      }
      await program.parseAsync(argv, { from: 'user' });
    }
    // What was done is done, but whoever sent the signal waits for its code.
    host.signal.throwIfAborted();
  } catch (error) {
    const translated: unknown = host.signal.aborted
      ? host.signal.reason
      : translateCommanderError(error, advise);
    if (translated === 'help') return exitCode('done');
    if (translated === 'usage' && !output.json) return exitCode('usage');
    fail(translated === 'usage' ? usageError('a command is missing', advise()) : translated);
  }
  await output.flush();
  if (output.writeError !== undefined) {
    fail(new CliError('OUTPUT_FAILED', `stdout can't be written: ${output.writeError.message}`));
  }
  return code;
}

/** What to do about a usage error, given what Commander suggests, if anything, and how it calls the error. */
type Advise = (suggestion?: string, code?: string) => string;

const GENERAL_ADVICE = '`coffer help` lists the commands';

/** The words of the command line that may be flags. */
function flagsOf(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  return end < 0 ? argv : argv.slice(0, end);
}

/** Commander ends the program by throwing: for help too, which is then written already. */
function translateCommanderError(error: unknown, advise: Advise): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error;
  if (!error.code.startsWith('commander.')) return error;
  if (error.code === 'commander.helpDisplayed') return 'help';
  if (error.code === 'commander.help') return 'usage';
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return usageError(message, advise(suggestion?.replace(/^\(D(.*)\)$/, 'd$1'), error.code));
}
