import { CryptoError, SecretKey, base64UrlToBytes, openFernet } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import type { LoadedSecret } from './loaded-secret.ts';
import { deriveSlotKey } from './slot-key.ts';
import type { Slot } from './slot.ts';

const ROOT_KEY_SIZE_BYTES = 32;

/**
 * The root key in a slot; `undefined` when the secret does not open it, which looks the same as a damaged slot. The caller
 * disposes of it, and still has to hold the file's MAC against it.
 *
 * @throws VaultError WRONG_KEY for a secret of another kind, DAMAGED for a slot that opens and holds no root key
 */
export async function openSlot(slot: Slot, secret: LoadedSecret): Promise<SecretKey | undefined> {
  using slotKey = await deriveSlotKey(slot, secret);
  if (slotKey === undefined) return undefined;
  let rootBytes;
  try {
    rootBytes = openFernet(slotKey, base64UrlToBytes(slot.wrappedKey));
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'INVALID_TOKEN') return undefined;
    throw error;
  }
  try {
    if (rootBytes.length === ROOT_KEY_SIZE_BYTES) return SecretKey.fromBytes(rootBytes);
    throw new VaultError('DAMAGED', `key slot ${slot.id} holds no root key`);
  } finally {
    rootBytes.fill(0);
  }
}
