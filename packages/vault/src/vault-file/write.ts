import type { SecretKey } from '@coffer/crypto';
import { constantTimeEqual } from '@coffer/crypto';
import { stageFile, syncFolder } from '../durable-file.ts';
import { VaultError, errnoToVaultError } from '../errors.ts';
import type { VaultPaths } from '../paths.ts';
import type { LoadedSecret } from '../slots/loaded-secret.ts';
import { openSlot } from '../slots/open-slot.ts';
import type { ParsedVaultFile, VaultFileContent } from './content.ts';
import { encodeVaultFile, isAuthentic } from './encode.ts';
import { parseVaultFile } from './parse.ts';

/** A slot that has to open, from what was read back from disk, before it counts. */
export interface SlotToProve {
  readonly id: string;
  readonly secret: LoadedSecret;
}

/**
 * Writes both copies of the key slots: both are durable under temporary names, read back and proven before either takes the place of
 * an old one, so that a full disk or a slot that would not open changes nothing. A crash leaves each copy whole, as it was or as it
 * will be. When this returns, both are durable.
 *
 * @throws VaultError EXISTS (`isNew`, and there is a vault), NO_SPACE, NOT_PERMITTED, FAILED
 */
export async function writeVaultFile(
  paths: VaultPaths,
  content: VaultFileContent,
  rootKey: SecretKey,
  options: { readonly prove?: readonly SlotToProve[]; readonly isNew?: boolean } = {},
): Promise<ParsedVaultFile> {
  const bytes = encodeVaultFile(content, rootKey);
  await using first = await stageFile(paths.vaultFile, bytes);
  await using copy = await stageFile(paths.vaultFileCopy, bytes);
  const written = parseVaultFile(await first.readBack(), paths.vaultFile);
  await prove(written, rootKey, options.prove ?? []);
  if (!constantTimeEqual(await copy.readBack(), bytes)) throw unproven(paths.vaultFileCopy);
  // `vault.json` makes a vault, so that it comes last in a new one. Afterwards it is the first to change.
  const exclusive = options.isNew === true;
  try {
    for (const staged of exclusive ? [copy, first] : [first, copy]) {
      await staged.commit({ exclusive });
      // Each on its own: a loss of power must not keep the second rename without the first. An old `vault.json` beside a new copy is
      // what somebody leaves who puts an old one back, and its secret is refused.
      await syncFolder(paths.directory);
    }
  } catch (error) {
    throw errnoToVaultError(error, `cannot make ${paths.vaultFile} durable`);
  }
  return written;
}

async function prove(
  written: ParsedVaultFile,
  rootKey: SecretKey,
  toProve: readonly SlotToProve[],
): Promise<void> {
  if (!isAuthentic(written, rootKey)) throw unproven('the key slots');
  for (const { id, secret } of toProve) {
    const slot = written.content.slots.find((each) => each.id === id);
    using opened = slot === undefined ? undefined : await openSlot(slot, secret);
    if (opened === undefined || !isSameKey(opened, rootKey)) throw unproven(`the new key slot ${id}`);
  }
}

/** In constant time. */
export function isSameKey(a: SecretKey, b: SecretKey): boolean {
  const aBytes = a.exportBytes();
  const bBytes = b.exportBytes();
  try {
    return constantTimeEqual(aBytes, bBytes);
  } finally {
    aBytes.fill(0);
    bBytes.fill(0);
  }
}

function unproven(what: string): VaultError {
  return new VaultError('FAILED', `${what} did not come back from the disk as written; nothing was changed`);
}
