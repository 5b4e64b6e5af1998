import { bytesToBase64Url, bytesToHex, randomBytes, sealFernet } from '@coffer/crypto';
import type { SecretKey } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import { deriveSlotKey } from './slot-key.ts';
import type { LoadedSecret } from './loaded-secret.ts';
import { DEFAULT_ARGON2ID, SALT_SIZE_BYTES, isArgon2idCost } from './slot.ts';
import type { Argon2idCost, HkdfSlot, PassphraseSlot, Slot } from './slot.ts';

const ID_SIZE_BYTES = 4;
const IV_SIZE_BYTES = 16;

export interface SlotOptions {
  readonly label?: string;
  readonly argon2id?: Argon2idCost;
  readonly createdAtMs?: number;
}

/** What is random in a slot. */
export interface SlotRandomness {
  readonly id: string;
  readonly salt: string;
  readonly iv: Uint8Array;
}

/**
 * A slot that opens with `secret`: the root key as a Fernet token (time 0) under the slot's key.
 *
 * @throws VaultError INVALID_INPUT for a cost out of bounds
 */
export async function makeSlot(
  rootKey: SecretKey,
  secret: LoadedSecret,
  options: SlotOptions = {},
  randomness: SlotRandomness = drawRandomness(),
): Promise<Slot> {
  const { id, salt, iv } = randomness;
  const parameters = slotKeyParameters(secret, salt, options.argon2id ?? DEFAULT_ARGON2ID);
  using slotKey = await deriveSlotKey({ id, ...parameters }, secret);
  if (slotKey === undefined) throw new VaultError('FAILED', `there is no secret for key slot ${id}`);
  const rootBytes = rootKey.exportBytes();
  try {
    // Time 0, as in sealed files; when the slot was made is in its own field.
    const wrappedKey = bytesToBase64Url(sealFernet(slotKey, rootBytes, { iv, epochSeconds: 0 }));
    const { createdAtMs = Date.now(), label } = options;
    return { id, createdAtMs, ...(label === undefined ? {} : { label }), ...parameters, wrappedKey };
  } finally {
    rootBytes.fill(0);
  }
}

/** An id that none of `slots` has. */
export function drawRandomness(slots: readonly Slot[] = []): SlotRandomness {
  let id = bytesToHex(randomBytes(ID_SIZE_BYTES));
  while (slots.some((slot) => slot.id === id)) id = bytesToHex(randomBytes(ID_SIZE_BYTES));
  return { id, salt: bytesToHex(randomBytes(SALT_SIZE_BYTES)), iv: randomBytes(IV_SIZE_BYTES) };
}

function slotKeyParameters(
  secret: LoadedSecret,
  salt: string,
  cost: Argon2idCost,
): Pick<PassphraseSlot, 'kind' | 'argon2id'> | Pick<HkdfSlot, 'kind' | 'hkdf'> {
  if (secret.kind !== 'passphrase') return { kind: secret.kind, hkdf: { salt } };
  const { memoryKiB, passes, parallelism } = cost;
  if (!isArgon2idCost({ memoryKiB, passes, parallelism })) {
    throw new VaultError('INVALID_INPUT', 'the cost of Argon2id is out of bounds', {
      hint: '19 MiB to 1 GiB of memory, 2 to 10 passes, parallelism 1 to 4',
    });
  }
  return { kind: 'passphrase', argon2id: { memoryKiB, passes, parallelism, salt } };
}
