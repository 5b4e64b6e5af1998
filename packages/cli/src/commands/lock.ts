import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RunCommand } from '../context.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { whileBusy } from '../open-vault.ts';

/** `coffer lock`: the agent closes the vault. */
export function registerLock(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('lock')
    .summary('have the agent close the vault')
    .description(
      'Has the agent of `coffer unlock` close the vault and end, and waits until it has. Commands that are running with it are given up as by Ctrl-C, and exit 18. No secret is needed. ' +
        'An agent that is stopped (SIGSTOP) is let go on to end, or killed, where the system tells that it is stopped (Linux). Without an agent there is nothing to do. A vault that another process has open, and does not serve, exits 11.',
    )
    .action(() =>
      run(async (context) => {
        const { output } = context;
        const directory = await chooseVaultDirectory(context);
        const { lockAgent } = await import('@coffer/host');
        const locked = await lockAgent(directory, {
          ...whileBusy(context),
          onStopped: (pid) => {
            output.info(`The agent (${String(pid)}) was stopped; it is told to end.`);
          },
        });
        if (!locked) {
          // A mistyped folder is not a locked vault.
          const { checkNotOpen, readVaultSlots } = await import('@coffer/vault');
          await readVaultSlots(directory);
          // Nor is one locked that a process has open and does not serve.
          checkNotOpen(directory);
        }
        if (output.json) output.record('summary', { command: 'lock', locked });
        else output.info(locked ? 'Locked.' : 'No agent has this vault open.');
        return undefined;
      }),
    );
}
