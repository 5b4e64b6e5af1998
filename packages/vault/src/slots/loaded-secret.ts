import { createSlotItem, readSlotItems } from '../keychain/slot-item.ts';
import type { SlotItemName } from '../keychain/slot-item.ts';
import type { KeychainOptions } from '../keychain/keychain.ts';
import { readKeyfile } from '../keyfile.ts';
import { normalizePassphrase } from '../passphrase.ts';
import { parseRecoveryCode } from '../recovery-code.ts';
import type { SlotKind, SlotSecret } from './slot.ts';

/**
 * The bytes of a secret: of a passphrase in normal form, of a keyfile or a recovery code, or of the keychain's items, of which each belongs to one
 * slot. Disposal zeroes them.
 */
export class LoadedSecret implements Disposable {
  readonly kind: SlotKind;
  readonly warnings: readonly string[];
  readonly #bytes: Uint8Array | ReadonlyMap<string, Uint8Array>;

  constructor(
    kind: SlotKind,
    bytes: Uint8Array | ReadonlyMap<string, Uint8Array>,
    warnings: readonly string[] = [],
  ) {
    this.kind = kind;
    this.warnings = warnings;
    this.#bytes = bytes;
  }

  /** What a slot's key is derived from; `undefined` when the keychain has nothing for this slot. Not a copy: for use then and there. */
  bytesFor(slotId: string): Uint8Array | undefined {
    return this.#bytes instanceof Uint8Array ? this.#bytes : this.#bytes.get(slotId);
  }

  [Symbol.dispose](): void {
    const all = this.#bytes instanceof Uint8Array ? [this.#bytes] : this.#bytes.values();
    for (const bytes of all) bytes.fill(0);
  }
}

/** The slots that a secret is for: the keychain has an item for each. */
export interface SecretPlace {
  readonly vaultId: string;
  readonly slots: readonly { readonly id: string; readonly kind: SlotKind }[];
}

/**
 * Reads a secret. What was passed in stays as it is.
 *
 * @throws VaultError as `normalizePassphrase`, `readKeyfile`, `parseRecoveryCode` and `readSlotItems` do
 */
export async function loadSecret(
  secret: SlotSecret,
  { vaultId, slots }: SecretPlace,
  options: KeychainOptions = {},
): Promise<LoadedSecret> {
  if (secret.kind !== 'keychain') return await loadPortable(secret);
  const ids = slots.filter(({ kind }) => kind === 'keychain').map(({ id }) => id);
  // Where no slot is for the keychain there is nothing to ask it, and the caller says so.
  const items = ids.length === 0 ? new Map() : await readSlotItems(vaultId, [...new Set(ids)], options);
  return new LoadedSecret('keychain', items);
}

/**
 * The secret of a slot that is about to be made: for the keychain that is a new item in it, which whoever does not make the slot in the end
 * removes (`removeSlotItem`).
 *
 * @throws VaultError as `loadSecret` and `createSlotItem` do
 */
export async function loadNewSecret(
  secret: SlotSecret,
  name: SlotItemName,
  options: KeychainOptions = {},
): Promise<LoadedSecret> {
  if (secret.kind !== 'keychain') return await loadPortable(secret);
  return new LoadedSecret('keychain', new Map([[name.slotId, await createSlotItem(name, options)]]));
}

async function loadPortable(secret: Exclude<SlotSecret, { kind: 'keychain' }>): Promise<LoadedSecret> {
  switch (secret.kind) {
    case 'passphrase':
      return new LoadedSecret('passphrase', normalizePassphrase(secret.passphrase));
    case 'recovery':
      return new LoadedSecret('recovery', parseRecoveryCode(secret.code));
    case 'keyfile': {
      const { key, warnings } = await readKeyfile(secret.path);
      return new LoadedSecret('keyfile', key, warnings);
    }
  }
}
