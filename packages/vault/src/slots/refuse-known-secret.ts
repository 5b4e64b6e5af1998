import { VaultError } from '../errors.ts';
import { describeSlot, slotKindName } from './describe-slots.ts';
import type { LoadedSecret } from './loaded-secret.ts';
import { openSlot } from './open-slot.ts';
import { slotInfo } from './slot.ts';
import type { Slot } from './slot.ts';

/**
 * Refuses a new secret that opens one of `slots`: with two slots of one secret, whoever removes or changes one of them believes that the secret opens the
 * vault no more. A passphrase costs one derivation for each slot of its kind. An item of the keychain is always new, and opens nothing yet.
 *
 * @throws VaultError EXISTS, ABORTED, FAILED (not enough memory for one of the slots)
 */
export async function refuseKnownSecret(
  slots: readonly Slot[],
  secret: LoadedSecret,
  signal?: AbortSignal,
): Promise<void> {
  if (secret.kind === 'keychain') return;
  const known = await findOpenedSlot(slots, secret, signal);
  if (known === undefined) return;
  const name = slotKindName(secret.kind);
  throw new VaultError('EXISTS', `this ${name} opens the vault already: ${describeSlot(slotInfo(known))}`, {
    hint: `nothing was changed; a ${name} has one slot, so that removing that one is enough`,
  });
}

/** The first of `slots` that a secret opens, if there is one. */
export async function findOpenedSlot(
  slots: readonly Slot[],
  secret: LoadedSecret,
  signal?: AbortSignal,
): Promise<Slot | undefined> {
  for (const slot of slots) {
    if (slot.kind !== secret.kind) continue;
    if (signal?.aborted === true) {
      throw new VaultError('ABORTED', 'trying the key slots was cancelled', { cause: signal.reason });
    }
    using rootKey = await openSlot(slot, secret);
    if (rootKey !== undefined) return slot;
  }
  return undefined;
}
