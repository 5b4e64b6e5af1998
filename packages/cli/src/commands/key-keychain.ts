import type { KeychainVault } from '@coffer/vault';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { CliError, usageError } from '../cli-error.ts';
import type { Context, RunCommand } from '../context.ts';
import { askYesNo, keychainTimeoutMs } from '../input/prompt.ts';
import { chooseVaultDirectory } from '../input/vault-directory.ts';
import { layOutTable } from '../output/columns.ts';
import { escapeName } from '../output/escape.ts';
import { formatCount } from '../output/format.ts';

/** `coffer key keychain`: what this machine's keychain has of any vault. */
export function registerKeyKeychain(key: CommandUnknownOpts, run: RunCommand): void {
  key
    .command('keychain')
    .summary("show or forget what this machine's keychain has of vaults")
    .description(
      "Lists the vaults that this machine's keychain has items of: the id of the vault, how many key slots have an item, and for how many copies of it the keychain remembers how far they were. It has ids and " +
        'no places, so that those whose folder is gone are in the list, too; the vault of --vault is marked. --forget removes all items of one vault, after a question or with -y: a vault that is still ' +
        'somewhere opens with its other key slots then. Nothing is ever forgotten by itself. No secret is needed. Only on Linux.',
    )
    .option('--forget <vault-id>', 'remove all items of the vault with this id, all 32 digits of it')
    .action((options) =>
      run(async (context) => {
        const { forget } = options;
        if (forget === undefined) await list(context);
        else await remove(context, forget);
        return undefined;
      }),
    );
}

async function list(context: Context): Promise<void> {
  const { output } = context;
  const { listKeychainVaults } = await import('@coffer/vault');
  const vaults = await listKeychainVaults(patience(context));
  const here = await findVaultId(context);
  if (output.json) {
    for (const vault of vaults) output.record('keychain', toRecord(vault, here));
    return;
  }
  const rows = vaults.map(({ vaultId, slotIds, evidenceCount }) => [
    { text: vaultId, paint: output.style.bold },
    { text: formatCount(slotIds.length, 'key slot') },
    { text: evidenceCount === 0 ? '' : `remembers ${formatCount(evidenceCount, 'copy', 'copies')}` },
    { text: vaultId === here ? 'this vault' : '' },
  ]);
  for (const line of layOutTable(rows, [{}, {}, {}, {}])) output.line(line);
  if (vaults.length === 0) output.info('The keychain has nothing of any vault.');
}

async function remove(context: Context, vaultId: string): Promise<void> {
  const { output, globals, ask } = context;
  if (!/^[0-9a-f]{32}$/.test(vaultId))
    throw usageError(
      `not the id of a vault: ${vaultId}`,
      'it is 32 hex digits; `coffer key keychain` lists them',
    );
  const { forgetKeychainVault, listKeychainVaults } = await import('@coffer/vault');
  const here = await findVaultId(context);
  const isThere = (await listKeychainVaults(patience(context))).some((vault) => vault.vaultId === vaultId);
  // Where there is nothing, forgetting says so.
  if (!globals.yes && isThere) {
    const which = vaultId === here ? ` in ${escapeName(await chooseVaultDirectory(context))}` : '';
    const question = `Forget what the keychain has of vault ${vaultId}${which}? This machine opens it without the keychain then.`;
    if (!(await askYesNo(ask, question))) throw new CliError('DECLINED', 'nothing was forgotten');
  }
  const forgotten = await forgetKeychainVault(vaultId, patience(context));
  if (output.json) output.record('keychain', { ...toRecord(forgotten, here), removed: true });
  else output.info(`The keychain has nothing of vault ${vaultId} any more.`);
}

function toRecord({ vaultId, slotIds, evidenceCount }: KeychainVault, here: string | undefined): object {
  return { vaultId, slotIds, evidenceCount, here: vaultId === here };
}

function patience({ ask, signal }: Context): { readonly timeoutMs: number; readonly signal: AbortSignal } {
  return { timeoutMs: keychainTimeoutMs(ask), signal };
}

/** Of the vault in the folder of --vault, if there is one whose id can be told. */
async function findVaultId(context: Context): Promise<string | undefined> {
  const { readVaultSlots } = await import('@coffer/vault');
  return await readVaultSlots(await chooseVaultDirectory(context)).then(
    ({ vaultId }) => vaultId,
    () => undefined,
  );
}
