import type { VaultClient } from '@coffer/host';
import type { SlotInfo, SlotSecret } from '@coffer/vault';
import type { Context } from './context.ts';
import { CliError } from './cli-error.ts';
import { askPassphrase } from './input/prompt.ts';
import { readPassphrase } from './input/read-passphrase.ts';
import { chooseSecretSource } from './input/secret-source.ts';
import { escapeName } from './output/escape.ts';
import { chooseVaultDirectory } from './input/vault-directory.ts';

/** Opens the vault of a command with the secret that its options, the environment or the person give. */
export async function openVaultFor(context: Context): Promise<VaultClient> {
  const secret = await getSecret(context);
  try {
    return await openVaultWith(context, secret);
  } finally {
    forgetSecret(secret);
  }
}

/**
 * Gets the secret that opens the vault. Nobody is asked for a passphrase before it is known that a vault is there and that a
 * passphrase opens it. The caller forgets it.
 */
export async function getSecret(context: Context): Promise<SlotSecret> {
  const { output, globals, host } = context;
  const directory = await chooseVaultDirectory(context);
  const { readVaultSlots } = await import('@coffer/vault');
  const { slots } = await readVaultSlots(directory);
  const source = chooseSecretSource(globals, host.env);
  output.detail(`opening ${directory} (${source.kind})`);
  if (source.kind === 'keyfile') return source;
  if (source.kind !== 'ask') return { kind: 'passphrase', passphrase: await readPassphrase(source, host) };
  if (!hasPassphrase(slots)) {
    throw new CliError('INPUT_NEEDED', 'this vault opens with a key file, not with a passphrase', {
      hint: 'give it with --keyfile FILE or COFFER_KEYFILE',
    });
  }
  return {
    kind: 'passphrase',
    passphrase: await askPassphrase(context.ask, `Passphrase of ${escapeName(directory)}`),
  };
}

/** Opens the vault with a secret and says what it warns of. */
export async function openVaultWith(context: Context, secret: SlotSecret): Promise<VaultClient> {
  const { output, signal } = context;
  const directory = await chooseVaultDirectory(context);
  const [{ openVault }, { createLocalClient }] = await Promise.all([
    import('@coffer/vault'),
    import('@coffer/host'),
  ]);
  signal.throwIfAborted();
  const vault = await openVault({ directory, secret });
  for (const warning of vault.warnings) output.warning(warning);
  return createLocalClient(vault);
}

/** Zeroes what a secret holds in memory. */
export function forgetSecret(secret: SlotSecret): void {
  if (secret.kind === 'passphrase') secret.passphrase.fill(0);
  if (secret.kind === 'recovery') secret.code.fill(0);
}

function hasPassphrase(slots: readonly SlotInfo[]): boolean {
  return slots.some(({ kind }) => kind === 'passphrase');
}
