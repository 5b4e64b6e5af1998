import { FernetKey, argon2id, hexToBytes, hkdfSha256 } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import type { LoadedSecret } from './loaded-secret.ts';
import type { HkdfSlot, HkdfSlotKind, PassphraseSlot } from './slot.ts';

const KEY_SIZE_BYTES = 32;
const INFO: Readonly<Record<HkdfSlotKind, string>> = {
  keyfile: 'coffer/slot/keyfile/v1',
  keychain: 'coffer/slot/keychain/v1',
  recovery: 'coffer/slot/recovery/v1',
};

/** What the key of a slot depends on besides the secret; the id says which of the keychain's items is meant. */
export type SlotKeyParameters =
  Pick<PassphraseSlot, 'id' | 'kind' | 'argon2id'> | Pick<HkdfSlot, 'id' | 'kind' | 'hkdf'>;

/**
 * The key of a slot, 32 bytes taken as a Fernet key (16 sign ‖ 16 encrypt): Argon2id of the passphrase, or HKDF-SHA-256 of the random bytes of
 * keyfile, keychain item or recovery code with info "coffer/slot/(kind)/v1". `undefined` when this machine's keychain has no item for the slot. The caller
 * disposes of it.
 */
export async function deriveSlotKey(
  slot: SlotKeyParameters,
  secret: LoadedSecret,
): Promise<FernetKey | undefined> {
  if (slot.kind !== secret.kind)
    throw new VaultError('WRONG_KEY', `a ${secret.kind} does not open a ${slot.kind} slot`);
  const secretBytes = secret.bytesFor(slot.id);
  if (secretBytes === undefined) return undefined;
  const bytes = await deriveBytes(slot, secretBytes);
  try {
    return FernetKey.fromBytes(bytes);
  } finally {
    bytes.fill(0);
  }
}

async function deriveBytes(slot: SlotKeyParameters, secret: Uint8Array): Promise<Uint8Array> {
  if (slot.kind !== 'passphrase') {
    const info = new TextEncoder().encode(INFO[slot.kind]);
    return hkdfSha256(secret, hexToBytes(slot.hkdf.salt), info, KEY_SIZE_BYTES);
  }
  const { memoryKiB, passes, parallelism, salt } = slot.argon2id;
  const cost = { memoryKiB, passes, parallelism, lengthBytes: KEY_SIZE_BYTES };
  try {
    return await argon2id(secret, hexToBytes(salt), cost);
  } catch (error) {
    const memoryMiB = String(Math.ceil(memoryKiB / 1024));
    throw new VaultError('FAILED', 'the key could not be derived from the passphrase', {
      cause: error,
      hint: `it takes ${memoryMiB} MiB of memory; close something else and try again`,
    });
  }
}
