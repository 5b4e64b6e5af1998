import type { DoctorClient } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError, usageError } from '../cli-error.ts';
import type { Context, RunCommand } from '../context.ts';
import { exitCode } from '../exit-codes.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { openVaultFor, openVaultWith, useSecret } from '../open-vault.ts';
import { escapeName, escapeText } from '../output/escape.ts';
import { writeFinding } from '../output/finding-lines.ts';
import { formatCount } from '../output/format.ts';
import { findingRecord } from '../output/records.ts';
import { rebuildDatabase } from './doctor-rebuild.ts';
import { refuseUnchangeable } from '../refuse-unchangeable.ts';

interface DoctorOptions {
  readonly fix: boolean;
  readonly dryRun: boolean;
  readonly rebuild: boolean;
}

/** `coffer doctor`: says what is wrong with a vault, also one that does not open, and puts right what is safe. */
export function registerDoctor(program: CommandUnknownOpts, run: RunCommand): void {
  program
    .command('doctor')
    .summary('say what is wrong with the vault, also one that does not open')
    .description(
      'Looks at the folder of the vault, its modes, both copies of the key slots, the database, leftovers, the disk and the clock; this takes no secret. ' +
        'Opens the vault if it can, which puts some things right by itself, and compares names and sizes of all files (`coffer check` reads their content). Says of each thing what it costs and ' +
        'which command mends it. Exit 30 if something is left that is wrong.',
    )
    .option('--fix', 'do what is safe; no file of the vault is ever changed or removed', false)
    .option('-n, --dry-run', 'with --fix, only say what it would do', false)
    .option(
      '--rebuild',
      'first make a new database of everything that can be read, if the one there is damaged; it is kept',
      false,
    )
    .addHelpText('after', REBUILD_HELP)
    .action((options) => run((context) => doctor(context, options)));
}

const REBUILD_HELP = `
--rebuild is for a database with damaged pages or a damaged log, also one that does not open any more: every row on a page that is whole comes into a new data.db, whatever else is lost. The damaged one stays
beside it as data.db.damaged. Files whose content is lost keep their names, small files whose names are lost get new ones, and sealed files whose names are lost go to quarantine/. Where
data.db is missing, the new one is empty. Nothing is done when nothing is damaged. Restoring a backup that is up to date gives back more.`;

async function doctor(context: Context, options: DoctorOptions): Promise<number> {
  const { fix, dryRun, rebuild } = options;
  if (dryRun && !fix) throw usageError('-n says what --fix would do: use both');
  if (dryRun && rebuild) throw usageError('-n says what --fix would do; --rebuild has no such way');
  if ((fix && !dryRun) || rebuild) await refuseUnchangeable(context);
  if (!rebuild) return await examine(context, options, () => open(context));
  // Asked for once: rebuilding and looking inside take the same secret.
  return await useSecret(context, async (secret) => {
    await rebuildDatabase(context, secret);
    return await examine(context, options, () => openVaultWith(context, secret));
  });
}

async function examine(
  context: Context,
  { fix, dryRun }: DoctorOptions,
  openVault: () => Promise<DoctorClient | undefined>,
): Promise<number> {
  const { output, host, signal } = context;
  const { diagnose } = await import('@coffer/vault');
  const directory = await chooseVaultDirectory(context);
  const opening = { lacksSecret: false };
  const events = diagnose({
    directory,
    open: async () => {
      const vault = await openVault();
      opening.lacksSecret = vault === undefined;
      return vault;
    },
    fix,
    dryRun,
    signal,
    machine: { nowMs: host.now() },
  });
  let left = 0;
  for await (const event of events) {
    if (event.type === 'summary') {
      left = event.findings;
      const { findings, fixed, isOpened } = event;
      if (output.json)
        output.record('summary', { command: 'doctor', dryRun, findings, fixed, opened: isOpened });
      else {
        if (!isOpened)
          output.info(
            opening.lacksSecret
              ? 'The vault was not opened: give its secret to look inside as well.'
              : 'The vault was not opened: what keeps it closed is said above.',
          );
        const putRight = fixed === 0 ? '' : `Put right: ${String(fixed)}. `;
        output.info(`${putRight}${findings === 0 ? 'Nothing is wrong' : formatCount(findings, 'finding')}.`);
      }
      continue;
    }
    const { finding } = event;
    if (output.json) {
      const more = event.type === 'finding' ? {} : { [event.type]: true };
      output.record('finding', { ...findingRecord(finding), ...more });
    } else if (event.type === 'fixed') {
      output.line(
        `${output.style.bold('put right')}  ${finding.code}  ${escapeName(finding.item)}: ${escapeText(finding.remedy)}`,
      );
    } else {
      if (event.type === 'planned') output.line(output.style.bold('would be put right:'));
      writeFinding(output, finding, host.now());
    }
  }
  return exitCode(left === 0 ? 'done' : 'findings');
}

/** `undefined` when nobody can give the secret: what can be seen without it has been looked at. */
async function open(context: Context): Promise<DoctorClient | undefined> {
  try {
    return await openVaultFor(context);
  } catch (error) {
    if (error instanceof CliError && error.code === 'INPUT_NEEDED') return undefined;
    throw error;
  }
}
