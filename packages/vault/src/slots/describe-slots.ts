import { VaultError } from '../errors.ts';
import type { SlotInfo, SlotKind } from './slot.ts';

const NAMES: Readonly<Record<SlotKind, string>> = {
  passphrase: 'passphrase',
  keyfile: 'key file',
  keychain: 'keychain',
  recovery: 'recovery code',
};

/** A kind of slot as it is called in messages: `recovery code`. */
export function slotKindName(kind: SlotKind): string {
  return NAMES[kind];
}

/** What else opens the vault, by name: `it also opens with the recovery code (slot 0a1b2c3d)`; `undefined` when nothing does. */
function otherWays(slots: readonly SlotInfo[], failed: SlotKind): string | undefined {
  const others = slots.filter(({ kind }) => kind !== failed).map(describeSlot);
  const last = others.pop();
  if (last === undefined) return undefined;
  return `it also opens with ${others.length === 0 ? last : `${others.join(', ')} or ${last}`}`;
}

/** Adds what else opens the vault to the hint of an error about one way of opening it. */
export function withOtherWays(error: VaultError, slots: readonly SlotInfo[], failed: SlotKind): VaultError {
  const others = otherWays(slots, failed);
  if (others === undefined) return error;
  const { code, message, cause } = error;
  const hint = error.hint === undefined ? others : `${error.hint}; ${others}`;
  return new VaultError(code, message, { hint, ...(cause === undefined ? {} : { cause }) });
}

/** `the recovery code (slot 0a1b2c3d)` */
export function describeSlot({ id, kind, label }: SlotInfo): string {
  return `the ${NAMES[kind]}${label === undefined ? '' : ` “${label}”`} (slot ${id})`;
}
