import { access } from 'node:fs/promises';
import type { VaultClient } from '@coffer/host';
import type { SlotSecret } from '@coffer/vault';
import type { Context } from './context.ts';
import { askNewPassphrase } from './input/prompt.ts';
import { refuseDash } from './input/refuse-dash.ts';
import { readPassphrase } from './input/read-passphrase.ts';
import { chooseVaultDirectory } from './input/vault-directory.ts';
import type { NewSecretSource } from './input/secret-source.ts';

/**
 * Gets the secret of a new key slot: a key file is made if there is none of that name yet (one that is there is used as it
 * is), a passphrase is read, or asked for twice. Warns of a weak one. The caller forgets it (`forgetSecret`).
 */
export async function getNewSecret(context: Context, source: NewSecretSource): Promise<SlotSecret> {
  const { createKeyfile } = await import('@coffer/vault');
  if (source.kind !== 'keyfile')
    return { kind: 'passphrase', passphrase: await getNewPassphrase(context, source) };
  if (await isThere(source.path)) return source;
  refuseDash(source.path, 'a key file');
  await createKeyfile(source.path, { outside: await chooseVaultDirectory(context) });
  context.output.info(
    `Made the key file ${source.path}. Keep a copy where the vault is not: whoever has it opens the vault.`,
  );
  return source;
}

/** Gets a new passphrase. The caller zeroes it. */
export async function getNewPassphrase(
  context: Context,
  source: Exclude<NewSecretSource, { kind: 'keyfile' }>,
): Promise<Uint8Array> {
  const { passphraseWarning } = await import('@coffer/vault');
  const passphrase =
    source.kind === 'ask'
      ? await askNewPassphrase(context.ask, 'New passphrase')
      : await readPassphrase(source, context.host);
  const warning = passphraseWarning(passphrase);
  if (warning !== undefined) context.output.warning(warning);
  return passphrase;
}

/** A passphrase that is new is first tried on every slot there is: each takes as long as unlocking does, and a few of them no longer than a person notices. */
const MANY_SLOTS = 4;

/** Says that trying a new passphrase on the slots there are takes a while, where it does. */
export async function announceTrials({ output }: Context, vault: VaultClient): Promise<void> {
  const slots = await vault.slots();
  const count = slots.filter(({ kind }) => kind === 'passphrase').length;
  if (count >= MANY_SLOTS)
    output.info(`Trying the new passphrase on the ${String(count)} that there are; this takes a moment.`);
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
