import type { SecretKey } from '@coffer/crypto';
import { removeLeftover } from '../durable-file.ts';
import { removeSlotItem } from '../keychain/slot-item.ts';
import { VaultError, errnoToVaultError } from '../errors.ts';
import type { VaultErrorCode } from '../errors.ts';
import { refuseKeyfileInside } from '../keyfile.ts';
import type { VaultPaths } from '../paths.ts';
import { loadNewSecret } from '../slots/loaded-secret.ts';
import { drawRandomness, makeSlot } from '../slots/make-slot.ts';
import { refuseKnownSecret } from '../slots/refuse-known-secret.ts';
import { slotInfo } from '../slots/slot.ts';
import type { Slot, SlotInfo, SlotSecret } from '../slots/slot.ts';
import { MAX_SLOTS } from './content.ts';
import { toKeychainOptions, toSlotOptions } from './create.ts';
import type { NewSlotOptions } from './create.ts';
import { isAuthentic } from './encode.ts';
import { readVaultFile } from './read.ts';
import { takeTurn } from './take-turn.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';
import { writeVaultFile } from './write.ts';
import type { SlotToProve } from './write.ts';

/** The key slots after a change, and the slot that is new. */
export interface ChangedVaultFile {
  readonly file: VaultFile;
  readonly slot: SlotInfo;
}

/**
 * Adds a slot that opens with `secret`. When this returns, the slot was opened from what is on disk, and both copies are durable;
 * when it throws, nothing has changed.
 *
 * All changes of slots are for the owner of the vault, take the `VaultFile` that unlocking or the last change gave, and run one after
 * the other.
 *
 * @throws VaultError EXISTS (the secret opens another slot), TOO_MANY_SLOTS, INVALID_INPUT, IN_USE (changed on disk by someone else),
 *   WRONG_KEY (not the root key of this file), DAMAGED, NO_SPACE, NOT_PERMITTED, FAILED, ABORTED, or what reading a keyfile throws
 */
export async function addSlot(
  file: VaultFile,
  rootKey: SecretKey,
  secret: SlotSecret,
  options: NewSlotOptions = {},
): Promise<ChangedVaultFile> {
  const { slots } = file.current.content;
  if (slots.length >= MAX_SLOTS) {
    throw new VaultError(
      'TOO_MANY_SLOTS',
      `this vault has ${String(MAX_SLOTS)} key slots, and more are not possible`,
      {
        hint: 'remove one that is not needed any more',
      },
    );
  }
  return await putSlot(file, rootKey, secret, options, (slot) => [...slots, slot]);
}

/**
 * Puts a slot that opens with `secret` in the place of another one: how a passphrase is changed. The new slot has an id of its own and,
 * unless one is given, the label of the old one, which goes only after the new one has been opened from disk.
 *
 * @throws VaultError NOT_FOUND, and as `addSlot`
 */
export async function replaceSlot(
  file: VaultFile,
  rootKey: SecretKey,
  slotId: string,
  secret: SlotSecret,
  options: NewSlotOptions = {},
): Promise<ChangedVaultFile> {
  const { slots } = file.current.content;
  const old = getSlot(slots, slotId);
  const label = options.label ?? old.label;
  const newOptions = { ...options, ...(label === undefined ? {} : { label }) };
  return await putSlot(file, rootKey, secret, newOptions, (slot) => slots.map((s) => (s === old ? slot : s)));
}

/**
 * Puts a slot that opens with a new recovery code in the place of the one there was, or adds the first. The old code opens the vault until the new
 * one has been proven, and no more from then on.
 *
 * @throws VaultError as `addSlot`
 */
export async function replaceRecoverySlots(
  file: VaultFile,
  rootKey: SecretKey,
  code: Uint8Array,
  options: NewSlotOptions = {},
): Promise<ChangedVaultFile> {
  const { slots } = file.current.content;
  const others = slots.filter(({ kind }) => kind !== 'recovery');
  if (others.length === slots.length) {
    return await addSlot(file, rootKey, { kind: 'recovery', code }, options);
  }
  const place = slots.findIndex(({ kind }) => kind === 'recovery');
  const secret: SlotSecret = { kind: 'recovery', code };
  return await putSlot(file, rootKey, secret, options, (slot) => others.toSpliced(place, 0, slot));
}

/**
 * Removes a slot. That does not revoke a copy of the file that someone kept: only a new root key does.
 *
 * @throws VaultError LAST_SLOT, NOT_FOUND, IN_USE, WRONG_KEY, DAMAGED, NO_SPACE, NOT_PERMITTED, FAILED
 */
export async function removeSlot(file: VaultFile, rootKey: SecretKey, slotId: string): Promise<VaultFile> {
  const { slots } = file.current.content;
  const old = getSlot(slots, slotId);
  if (slots.length === 1) {
    throw new VaultError(
      'LAST_SLOT',
      'this is the only key slot, and nothing would open the vault without it',
      {
        hint: 'add another one first',
      },
    );
  }
  const left = slots.filter((slot) => slot !== old);
  if (left.every(({ kind }) => kind === 'keychain')) {
    throw new VaultError(
      'LAST_SLOT',
      'only the keychain would open the vault then, and a keychain is lost with its machine',
      { hint: 'add a passphrase, a key file or a recovery code first' },
    );
  }
  return await change(file, rootKey, left);
}

/** A disk that is full or read-only, a folder where a copy should be: the vault opens by the other copy all the same. */
const NO_REASON_TO_STAY_CLOSED: ReadonlySet<VaultErrorCode> = new Set([
  'NO_SPACE',
  'NOT_PERMITTED',
  'NOT_A_FILE',
]);

/**
 * Writes both copies again when one is missing, damaged or different, so that both are what `file` says, and removes what an interrupted
 * change left under temporary names. For the owner, after unlocking. When the disk is full or read-only that is one more warning: such a
 * vault must still open, if only to make room.
 *
 * @throws VaultError IN_USE, WRONG_KEY, FAILED
 */
export async function repairVaultFile(file: VaultFile, rootKey: SecretKey): Promise<VaultFile> {
  const { paths, warnings, modeWarnings } = file;
  try {
    await removeLeftovers(paths);
    if (!file.needsRepair) return file;
    const repaired = await change(file, rootKey, file.current.content.slots);
    const rewritten = 'both copies of the key slots have been written again';
    return { ...repaired, warnings: [...warnings, rewritten], modeWarnings };
  } catch (error) {
    const isPassing = error instanceof VaultError && NO_REASON_TO_STAY_CLOSED.has(error.code);
    if (!isPassing) throw error;
    return { ...file, warnings: [...warnings, `the key slots could not be repaired: ${error.message}`] };
  }
}

async function putSlot(
  file: VaultFile,
  rootKey: SecretKey,
  secret: SlotSecret,
  options: NewSlotOptions,
  place: (slot: Slot) => readonly Slot[],
): Promise<ChangedVaultFile> {
  if (secret.kind === 'keyfile') await refuseKeyfileInside(secret.path, file.paths.directory);
  const slotOptions = toSlotOptions(options);
  const randomness = drawRandomness(file.current.content.slots);
  const name = { vaultId: file.vaultId, slotId: randomness.id };
  using loaded = await loadNewSecret(secret, name, toKeychainOptions(options));
  try {
    await refuseKnownSecret(file.current.content.slots, loaded, options.signal);
    const slot = await makeSlot(rootKey, loaded, slotOptions, randomness);
    const changed = await change(file, rootKey, place(slot), { id: slot.id, secret: loaded });
    return { file: { ...changed, warnings: loaded.warnings }, slot: slotInfo(slot) };
  } catch (error) {
    if (secret.kind === 'keychain' && !(await isSlotOnDisk(file.paths, randomness.id)))
      await removeSlotItem(name, toKeychainOptions(options)).catch(() => undefined);
    throw error;
  }
}

/** After a change that failed: whether it came as far as the disk all the same. Where that can't be told, it may have. */
export async function isSlotOnDisk(paths: VaultPaths, slotId: string): Promise<boolean> {
  return await readVaultFile(paths).then(
    ({ current, other }) =>
      [current, ...(other === undefined ? [] : [other])].some(({ content }) =>
        content.slots.some(({ id }) => id === slotId),
      ),
    () => true,
  );
}

async function change(
  file: VaultFile,
  rootKey: SecretKey,
  slots: readonly Slot[],
  prove?: SlotToProve,
): Promise<VaultFile> {
  const { paths, current } = file;
  if (!isAuthentic(current, rootKey))
    throw new VaultError('WRONG_KEY', 'this is not the root key of these key slots');
  return await takeTurn(paths.vaultFile, async () => {
    const newestGeneration = await checkOnDisk(file, rootKey);
    const content = { ...current.content, generation: newestGeneration + 1, slots: [...slots] };
    const written = await writeVaultFile(
      paths,
      content,
      rootKey,
      prove === undefined ? {} : { prove: [prove] },
    );
    return vaultFileOf(paths, written);
  });
}

/** The highest authentic generation on disk, where one of the copies is still what the change starts from. */
export async function checkOnDisk(file: VaultFile, rootKey: SecretKey): Promise<number> {
  const { current, other, isCopyForeign } = await readVaultFile(file.paths);
  if (isCopyForeign) {
    throw new VaultError('DAMAGED', `${file.paths.vaultFileCopy} belongs to another vault`, {
      hint: 'move it away or put the right one back; nothing is changed before that',
    });
  }
  const copies = other === undefined ? [current] : [current, other];
  if (!copies.some(({ bytes }) => Buffer.compare(bytes, file.current.bytes) === 0)) {
    throw new VaultError('IN_USE', 'the key slots have been changed by something else meanwhile', {
      hint: 'open the vault again',
    });
  }
  // What anyone can have written there must not use up the numbers.
  const authentic = copies.filter((copy) => isAuthentic(copy, rootKey));
  return Math.max(...authentic.map(({ content }) => content.generation));
}

function getSlot(slots: readonly Slot[], id: string): Slot {
  const slot = slots.find((candidate) => candidate.id === id);
  if (slot !== undefined) return slot;
  throw new VaultError('NOT_FOUND', `there is no key slot ${id}`, { hint: '`coffer key ls` lists them' });
}

async function removeLeftovers(paths: VaultPaths): Promise<void> {
  for (const path of [paths.vaultFile, paths.vaultFileCopy]) {
    try {
      await removeLeftover(path);
    } catch (error) {
      throw errnoToVaultError(error, `cannot remove what was left of writing ${path}`);
    }
  }
}
