import type { SecretKey } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import { removeSlotItem } from '../keychain/slot-item.ts';
import { addSlot, removeSlot, replaceRecoverySlots, replaceSlot } from '../vault-file/change-slots.ts';
import { toKeychainOptions } from '../vault-file/create.ts';
import type { KeychainPatience, NewSlotOptions } from '../vault-file/create.ts';
import { beginRotation, endRotation } from '../vault-file/rotate-slots.ts';
import type { BeginRotationOptions, BegunRotation } from '../vault-file/rotate-slots.ts';
import type { AcknowledgedGeneration } from '../vault-file/acknowledged.ts';
import { unlockVaultFile } from '../vault-file/unlock.ts';
import type { VaultFile } from '../vault-file/vault-file.ts';
import { loadSecret } from './loaded-secret.ts';
import { findOpenedSlot } from './refuse-known-secret.ts';
import type { SlotInfo, SlotSecret } from './slot.ts';

export interface ChangePassphraseOptions {
  /** UTF-8, as it was read. */
  readonly current: Uint8Array;
  readonly next: Uint8Array;
  /** The slot to change; the one that the current passphrase opens when not given. */
  readonly slotId?: string;
}

/** A slot that is gone. */
export interface RemovedSlot extends SlotInfo {
  /** What could not be tidied up after it: its item in the keychain. */
  readonly warnings: readonly string[];
}

/** The key slots of an open vault: the ways to open it. */
export class KeySlots {
  #file: VaultFile;
  #rootKey: SecretKey;
  /** Changes run one after the other, each on what the one before left. */
  #lastChange: Promise<unknown> = Promise.resolve();
  readonly #acknowledged: AcknowledgedGeneration;

  constructor(file: VaultFile, rootKey: SecretKey, acknowledged: AcknowledgedGeneration) {
    this.#file = file;
    this.#rootKey = rootKey;
    this.#acknowledged = acknowledged;
  }

  get vaultId(): string {
    return this.#file.vaultId;
  }

  get formatVersion(): number {
    return this.#file.formatVersion;
  }

  /** The whole of `vault.json`, as it is on disk. */
  get fileBytes(): Uint8Array {
    return this.#file.current.bytes;
  }

  /** Of vault.json: one more with every change. */
  get generation(): number {
    return this.#file.generation;
  }

  list(): readonly SlotInfo[] {
    return this.#file.slots;
  }

  /** The slot that a secret opens. Throws `WRONG_KEY`, as opening the vault with it would. */
  async verify(secret: SlotSecret, options: KeychainPatience = {}): Promise<SlotInfo> {
    const { rootKey, slotId } = await unlockVaultFile(this.#file, secret, options);
    rootKey[Symbol.dispose]();
    return this.#find(slotId);
  }

  /** Adds a slot; it has been opened from disk when this returns. Throws `EXISTS` (the secret opens a slot already), `TOO_MANY_SLOTS`, `INVALID_INPUT`. */
  async add(secret: SlotSecret, options: NewSlotOptions = {}): Promise<SlotInfo> {
    return this.#inTurn(async () => {
      const { file, slot } = await addSlot(this.#file, this.#rootKey, secret, options);
      this.#changeTo(file);
      return slot;
    });
  }

  /**
   * Removes a slot, given its id or the beginning of it, and then its item in the keychain, if it has one. Throws `LAST_SLOT` (also where only the keychain
   * would be left), `NOT_FOUND`, `AMBIGUOUS`.
   */
  async remove(id: string, options: KeychainPatience = {}): Promise<RemovedSlot> {
    return this.#inTurn(async () => {
      const slot = this.#find(id);
      this.#changeTo(await removeSlot(this.#file, this.#rootKey, slot.id));
      const warnings = slot.kind === 'keychain' ? await this.#removeItem(slot.id, options) : [];
      return { ...slot, warnings };
    });
  }

  /** Puts a new recovery code in the place of the old one, or adds the first. The new one has been proven when the old one goes. */
  async replaceRecovery(code: Uint8Array, options: NewSlotOptions = {}): Promise<SlotInfo> {
    return this.#inTurn(async () => {
      const { file, slot } = await replaceRecoverySlots(this.#file, this.#rootKey, code, options);
      this.#changeTo(file);
      return slot;
    });
  }

  /**
   * Puts a slot with the next passphrase in the place of the one that the current passphrase opens. Throws `WRONG_KEY`, `EXISTS` (the next one opens a slot
   * already, this or another), `AMBIGUOUS` (the current one opens another slot as well, and no `slotId` was given).
   */
  async changePassphrase(options: ChangePassphraseOptions): Promise<SlotInfo> {
    return this.#inTurn(async () => {
      const chosen = options.slotId === undefined ? {} : { slotId: this.#find(options.slotId).id };
      const current: SlotSecret = { kind: 'passphrase', passphrase: options.current };
      const opened = await unlockVaultFile(this.#file, current, chosen);
      opened.rootKey[Symbol.dispose]();
      if (options.slotId === undefined) await this.#refuseTwins(current, opened.slotId);
      const next: SlotSecret = { kind: 'passphrase', passphrase: options.next };
      const { file, slot } = await replaceSlot(this.#file, this.#rootKey, opened.slotId, next);
      this.#changeTo(file);
      return slot;
    });
  }

  /** Earlier versions made two slots of one passphrase: changing one of them would leave the old passphrase valid. */
  async #refuseTwins(secret: SlotSecret, slotId: string): Promise<void> {
    const others = this.#file.current.content.slots.filter(({ id }) => id !== slotId);
    using loaded = await loadSecret(secret, { vaultId: this.vaultId, slots: [] });
    const twin = await findOpenedSlot(others, loaded);
    if (twin === undefined) return;
    throw new VaultError(
      'AMBIGUOUS',
      'this passphrase has two key slots, and would still open the vault by the other',
      {
        candidates: [slotId, twin.id],
        hint: 'remove one of them with `coffer key rm`, and change it then',
      },
    );
  }

  /** Whether a rotation of the root key is to seal the contents again; `undefined` when there is no unfinished one. */
  get rotation(): { readonly reseal: boolean } | undefined {
    const { previous } = this.#file.current.content;
    return previous === undefined ? undefined : { reseal: previous.reseal === true };
  }

  /** Puts slots of the root key `next` in the place of these. `onBegun` is called at once when that is durable, before anything else is done with them. */
  async beginRotation(options: BeginRotationOptions, onBegun: () => void): Promise<BegunRotation> {
    return this.#inTurn(async () => {
      const begun = await beginRotation(this.#file, this.#rootKey, options);
      // Not told to the database, whose copy under the new key is made already: when that takes its place, what opened before opens nothing.
      this.#file = begun.file;
      this.#rootKey = options.next;
      onBegun();
      return begun;
    });
  }

  /** Forgets the root key before. */
  async endRotation(): Promise<void> {
    await this.#inTurn(async () => {
      this.#changeTo(await endRotation(this.#file, this.#rootKey));
    });
  }

  /** Both copies of `file` are durable: from here on nobody can take the change for one that was interrupted. */
  #changeTo(file: VaultFile): void {
    this.#file = file;
    this.#acknowledged.set(file.generation);
  }

  /** The slot is gone for good; an item that stays opens nothing. */
  async #removeItem(slotId: string, options: KeychainPatience): Promise<string[]> {
    try {
      await removeSlotItem({ vaultId: this.vaultId, slotId }, toKeychainOptions(options));
      return [];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return [`the item of key slot ${slotId} stays in the keychain, where it opens nothing: ${reason}`];
    }
  }

  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change);
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }

  #find(id: string): SlotInfo {
    const found = id === '' ? [] : this.#file.slots.filter((slot) => slot.id.startsWith(id));
    const [slot] = found;
    const hint = '`coffer key ls` lists them';
    if (slot === undefined) throw new VaultError('NOT_FOUND', `there is no key slot ${id}`, { hint });
    if (found.length === 1) return slot;
    const candidates = found.map((each) => each.id);
    throw new VaultError('AMBIGUOUS', `${id} is the beginning of more than one key slot`, { candidates });
  }
}
