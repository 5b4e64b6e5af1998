import { bytesToHex, constantTimeEqual, randomBytes } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import { Keychain } from './keychain.ts';
import type { KeychainOptions } from './keychain.ts';

const SLOT_ITEM_SIZE_BYTES = 32;

/** Which item of the keychain a key slot opens with. */
export interface SlotItemName {
  readonly vaultId: string;
  readonly slotId: string;
}

/** The name of the account under the service `coffer`. */
function slotItemAccount({ vaultId, slotId }: SlotItemName): string {
  return `vault/${vaultId}/slot/${slotId}`;
}

/**
 * Makes 32 random bytes and keeps them in the keychain, after a probe: an item that is written, read and removed again. What was written is read
 * back. When this throws, there is no item. The caller zeroes the result.
 *
 * @throws VaultError KEYCHAIN_UNAVAILABLE, KEYCHAIN_LOCKED, FAILED, ABORTED
 */
export async function createSlotItem(name: SlotItemName, options: KeychainOptions = {}): Promise<Uint8Array> {
  using keychain = new Keychain(options);
  await probe(keychain);
  const key = randomBytes(SLOT_ITEM_SIZE_BYTES);
  try {
    await keepSecret(keychain, slotItemAccount(name), key);
    return key;
  } catch (error) {
    key.fill(0);
    // Perhaps it was written and only reading failed. What made us give up is the error to report.
    await keychain.remove(slotItemAccount(name)).catch(() => undefined);
    throw error;
  }
}

/** Removes the item of a slot that is gone. `false` when there was none on this machine. */
export async function removeSlotItem(name: SlotItemName, options: KeychainOptions = {}): Promise<boolean> {
  using keychain = new Keychain(options);
  return await keychain.remove(slotItemAccount(name));
}

/**
 * The keys of those slots that have an item in this machine's keychain, by slot id. The caller zeroes them.
 *
 * @throws VaultError KEYCHAIN_ITEM_MISSING (none has), KEYCHAIN_ITEM_WRONG (one is not 32 bytes, and no other is right), KEYCHAIN_UNAVAILABLE,
 *   KEYCHAIN_LOCKED, FAILED, ABORTED
 */
export async function readSlotItems(
  vaultId: string,
  slotIds: readonly string[],
  options: KeychainOptions = {},
): Promise<ReadonlyMap<string, Uint8Array>> {
  using keychain = new Keychain(options);
  const keys = new Map<string, Uint8Array>();
  let damaged: string | undefined;
  for (const slotId of slotIds) {
    const key = await keychain.get(slotItemAccount({ vaultId, slotId }));
    if (key === undefined) continue;
    if (key.length === SLOT_ITEM_SIZE_BYTES) keys.set(slotId, key);
    else damaged = slotId;
  }
  if (keys.size > 0) return keys;
  if (damaged !== undefined) {
    throw new VaultError(
      'KEYCHAIN_ITEM_WRONG',
      `the item of key slot ${damaged} in the keychain is not a key of Coffer`,
    );
  }
  throw new VaultError('KEYCHAIN_ITEM_MISSING', 'the keychain of this machine has no key for this vault');
}

/** Whether one of the slots has an item in this machine's keychain. */
export async function hasSlotItem(
  keychain: Keychain,
  vaultId: string,
  slotIds: readonly string[],
): Promise<boolean> {
  for (const slotId of slotIds) {
    const key = await keychain.get(slotItemAccount({ vaultId, slotId }));
    key?.fill(0);
    if (key !== undefined) return true;
  }
  return false;
}

/** Writes, reads and removes an item: a keychain that loses what it is given must not get a key. */
async function probe(keychain: Keychain): Promise<void> {
  const account = `probe/${bytesToHex(randomBytes(8))}`;
  try {
    await keepSecret(keychain, account, randomBytes(SLOT_ITEM_SIZE_BYTES));
  } catch (error) {
    await keychain.remove(account).catch(() => undefined);
    throw error;
  }
  if (!(await keychain.remove(account)) || (await keychain.get(account)) !== undefined) {
    throw new VaultError('FAILED', 'the keychain does not remove what it is asked to remove');
  }
}

async function keepSecret(keychain: Keychain, account: string, secret: Uint8Array): Promise<void> {
  await keychain.set(account, secret);
  const kept = await keychain.get(account);
  const isKept = kept !== undefined && constantTimeEqual(kept, secret);
  kept?.fill(0);
  if (!isKept) throw new VaultError('FAILED', 'the keychain does not give back what it was given');
}
