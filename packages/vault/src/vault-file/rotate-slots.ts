import type { SecretKey } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import { removeSlotItem } from '../keychain/slot-item.ts';
import { refuseKeyfileInside } from '../keyfile.ts';
import { describeSlot, slotKindName } from '../slots/describe-slots.ts';
import { loadNewSecret } from '../slots/loaded-secret.ts';
import type { LoadedSecret } from '../slots/loaded-secret.ts';
import { drawRandomness, makeSlot } from '../slots/make-slot.ts';
import { openSlot } from '../slots/open-slot.ts';
import { slotInfo } from '../slots/slot.ts';
import type { Slot, SlotInfo, SlotSecret } from '../slots/slot.ts';
import { checkOnDisk, isSlotOnDisk } from './change-slots.ts';
import { keyEpochOf } from './content.ts';
import { toKeychainOptions } from './create.ts';
import type { NewSlotOptions } from './create.ts';
import { isAuthentic } from './encode.ts';
import { wrapPrevious } from './previous.ts';
import { takeTurn } from './take-turn.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';
import { isSameKey, writeVaultFile } from './write.ts';
import type { SlotToProve } from './write.ts';

/** A slot that stays, with its secret: the passphrase or keyfile that it has, the keychain (a fresh item), or a recovery code (a new one). */
export interface KeptSlot {
  readonly slotId: string;
  readonly secret: SlotSecret;
}

export interface BeginRotationOptions extends Pick<NewSlotOptions, 'keychainTimeoutMs' | 'signal' | 'nowMs'> {
  /** The root key that takes the place of the current one. */
  readonly next: SecretKey;
  readonly keep: readonly KeptSlot[];
  /** The ids of all other slots. */
  readonly drop: readonly string[];
  /** Whether the contents are to be sealed again as well, which whoever finishes the rotation has to know. */
  readonly reseal: boolean;
}

export interface BegunRotation {
  readonly file: VaultFile;
  /** The slots that there are now, in the order of those that they took the place of. */
  readonly slots: readonly SlotInfo[];
  readonly dropped: readonly SlotInfo[];
  readonly warnings: readonly string[];
}

/**
 * Replaces the key slots by those of a new root key, and keeps the old root key in `previous`, wrapped under the new one: one write of both copies. Every
 * new slot has been opened from disk when this returns; when it throws, the old slots are still there.
 *
 * @throws VaultError INVALID_INPUT (a slot that is neither kept nor dropped, or both), NOT_FOUND, WRONG_KEY (a secret that does not open its slot),
 *   LAST_SLOT, and as `addSlot`
 */
export async function beginRotation(
  file: VaultFile,
  rootKey: SecretKey,
  options: BeginRotationOptions,
): Promise<BegunRotation> {
  const { current, paths, vaultId } = file;
  const { content } = current;
  if (!isAuthentic(current, rootKey))
    throw new VaultError('WRONG_KEY', 'this is not the root key of these key slots');
  if (content.previous !== undefined) throw new VaultError('INVALID_INPUT', 'a rotation is not finished');
  const { keep, drop } = options;
  checkChoice(content.slots, keep, drop);
  const slots: Slot[] = [];
  const prove: SlotToProve[] = [];
  const newItems: string[] = [];
  using loaded = new DisposableStack();
  const keychain = toKeychainOptions(options);
  try {
    for (const old of content.slots) {
      const kept = keep.find(({ slotId }) => slotId === old.id);
      if (kept === undefined) continue;
      if (kept.secret.kind === 'keyfile') await refuseKeyfileInside(kept.secret.path, paths.directory);
      const randomness = drawRandomness([...content.slots, ...slots]);
      const { id } = randomness;
      if (old.kind === 'keychain') newItems.push(id);
      const secret = loaded.use(await loadNewSecret(kept.secret, { vaultId, slotId: id }, keychain));
      await checkOpens(old, secret, rootKey);
      prove.push({ id, secret });
      slots.push(await makeSlot(options.next, secret, likeSlot(old, options.nowMs), randomness));
    }
    const written = await takeTurn(paths.vaultFile, async () => {
      const generation = (await checkOnDisk(file, rootKey)) + 1;
      const wrappedKey = wrapPrevious(rootKey, options.next);
      const previous = options.reseal ? { wrappedKey, reseal: true as const } : { wrappedKey };
      const keyEpoch = keyEpochOf(content) + 1;
      return await writeVaultFile(
        paths,
        { ...content, generation, keyEpoch, slots, previous },
        options.next,
        {
          prove,
        },
      );
    });
    const dropped = content.slots.filter(({ id }) => drop.includes(id)).map(slotInfo);
    const leftItems = await removeOldItems(file, keychain);
    const warnings = [...prove.flatMap((each) => each.secret.warnings), ...leftItems];
    return { file: vaultFileOf(paths, written), slots: slots.map(slotInfo), dropped, warnings };
  } catch (error) {
    for (const slotId of newItems) {
      if (!(await isSlotOnDisk(paths, slotId)))
        await removeSlotItem({ vaultId, slotId }, keychain).catch(() => undefined);
    }
    throw error;
  }
}

/** Forgets the root key before: nothing may be under it any more. Throws as `removeSlot`. */
export async function endRotation(file: VaultFile, rootKey: SecretKey): Promise<VaultFile> {
  const { paths, current } = file;
  if (!isAuthentic(current, rootKey))
    throw new VaultError('WRONG_KEY', 'this is not the root key of these key slots');
  const { previous, ...content } = current.content;
  if (previous === undefined) return file;
  return await takeTurn(paths.vaultFile, async () => {
    const generation = (await checkOnDisk(file, rootKey)) + 1;
    return vaultFileOf(paths, await writeVaultFile(paths, { ...content, generation }, rootKey));
  });
}

function checkChoice(slots: readonly Slot[], keep: readonly KeptSlot[], drop: readonly string[]): void {
  const kept = keep.map(({ slotId }) => slotId);
  for (const id of [...kept, ...drop]) {
    if (!slots.some((slot) => slot.id === id))
      throw new VaultError('NOT_FOUND', `there is no key slot ${id}`, {
        hint: '`coffer key ls` lists them',
      });
  }
  const both = kept.find((id, index) => drop.includes(id) || kept.indexOf(id) !== index);
  if (both !== undefined) throw new VaultError('INVALID_INPUT', `key slot ${both} is named twice`);
  const left = slots.find(({ id }) => !kept.includes(id) && !drop.includes(id));
  if (left !== undefined) {
    throw new VaultError('INVALID_INPUT', `${describeSlot(slotInfo(left))} is neither kept nor dropped`, {
      hint: 'give its secret, or drop it by name: it opens the vault no more afterwards',
    });
  }
  for (const { slotId, secret } of keep) {
    const slot = slots.find(({ id }) => id === slotId);
    if (slot !== undefined && slot.kind !== secret.kind)
      throw new VaultError(
        'INVALID_INPUT',
        `key slot ${slotId} opens with a ${slotKindName(slot.kind)}, not with a ${slotKindName(secret.kind)}`,
      );
  }
  if (slots.every(({ id, kind }) => kind === 'keychain' || !kept.includes(id))) {
    throw new VaultError('LAST_SLOT', 'nothing but perhaps the keychain would open the vault afterwards', {
      hint: 'keep a passphrase, a key file or a recovery code',
    });
  }
}

/** What a person has to know for the old slot; a new recovery code and a new item of the keychain are new secrets. */
async function checkOpens(old: Slot, secret: LoadedSecret, rootKey: SecretKey): Promise<void> {
  if (old.kind === 'recovery' || old.kind === 'keychain') return;
  using opened = await openSlot(old, secret);
  if (opened !== undefined && isSameKey(opened, rootKey)) return;
  throw new VaultError('WRONG_KEY', `the ${slotKindName(old.kind)} does not open key slot ${old.id}`, {
    hint: 'nothing was changed',
  });
}

function likeSlot(old: Slot, nowMs: number | undefined): Parameters<typeof makeSlot>[2] {
  const { label } = old;
  return {
    ...(label === undefined ? {} : { label }),
    ...(old.kind === 'passphrase' ? { argon2id: old.argon2id } : {}),
    ...(nowMs === undefined ? {} : { createdAtMs: nowMs }),
  };
}

/** They open nothing any more. */
async function removeOldItems(
  { vaultId, slots }: VaultFile,
  options: Parameters<typeof removeSlotItem>[1],
): Promise<string[]> {
  const warnings: string[] = [];
  for (const { id, kind } of slots) {
    if (kind !== 'keychain') continue;
    try {
      await removeSlotItem({ vaultId, slotId: id }, options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warnings.push(`the item of key slot ${id} stays in the keychain, where it opens nothing: ${reason}`);
    }
  }
  return warnings;
}
