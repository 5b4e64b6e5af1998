import type { AgentState, Limits } from '@coffer/host';
import type { SlotSecret } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Context, RunCommand } from '../context.ts';
import { keychainTimeoutMs } from '../input/prompt.ts';
import { parseDuration } from '../input/parse-duration.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { useSecret, whileBusy } from '../open-vault.ts';
import { formatDate } from '../output/format.ts';
import { agentRecord } from '../output/records.ts';

/** `coffer unlock`: an agent keeps the vault open for a time. */
export function registerUnlock(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('unlock')
    .summary('keep the vault open for a time')
    .description(
      'Starts an agent: a process that has the vault open and serves it to your commands, which then need no secret. It locks the vault when its time is over, on ' +
        '`coffer lock`, when the machine sleeps (where that can be known), when the folder of the vault or its own socket goes, and when it is told to end; what is running then is ' +
        'given up as by Ctrl-C, and exits 18. With an agent running, the secret is verified and its time begins anew. A secret that is given to a command has to be right with an agent as well.',
    )
    .option('--for <duration>', 'how long at most (90s, 15m, 8h, 2d)', '8h')
    .option('--idle <duration>', 'lock it earlier, when nothing was done for so long')
    .addHelpText(
      'after',
      '\nExamples:\n  coffer unlock --for 8h --idle 30m\n  coffer unlock --passphrase-command "pass coffer"',
    )
    .action((options) =>
      run(async (context) => {
        const limits: Limits = {
          forMs: parseDuration(options.for),
          ...(options.idle === undefined ? {} : { idleMs: parseDuration(options.idle) }),
        };
        const { output, host } = context;
        const state = await useSecret(context, (secret) => unlock(context, limits, secret));
        for (const warning of state.warnings) output.warning(warning);
        if (output.json) {
          output.record('agent', agentRecord(state));
          return undefined;
        }
        output.info(`Unlocked until ${formatDate(state.untilMs, host.now())} (agent ${String(state.pid)}).`);
        return undefined;
      }),
    );
}

async function unlock(context: Context, limits: Limits, secret: SlotSecret): Promise<AgentState> {
  const directory = await chooseVaultDirectory(context);
  const { unlockWithAgent } = await import('@coffer/host');
  const message = { directory, secret, limits, keychainTimeoutMs: keychainTimeoutMs(context.ask) };
  return await unlockWithAgent(message, whileBusy(context));
}
