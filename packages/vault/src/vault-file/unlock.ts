import type { SecretKey } from '@coffer/crypto';
import { VaultError } from '../errors.ts';
import { slotKindName, withOtherWays } from '../slots/describe-slots.ts';
import { loadSecret } from '../slots/loaded-secret.ts';
import type { LoadedSecret } from '../slots/loaded-secret.ts';
import { openSlot } from '../slots/open-slot.ts';
import { ARGON2ID_BOUNDS } from '../slots/slot.ts';
import type { Slot, SlotKind, SlotSecret } from '../slots/slot.ts';
import type { ParsedVaultFile } from './content.ts';
import { toKeychainOptions } from './create.ts';
import { isAuthentic } from './encode.ts';
import { PUT_BACK } from './read.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';

/** Memory times passes that one unlocking may cost: that of the most expensive slot there can be (the default slot costs 1/53). */
const MAX_UNLOCK_WORK_KIB = ARGON2ID_BOUNDS.memoryKiB.max * ARGON2ID_BOUNDS.passes.max;

export interface UnlockedVaultFile {
  /** The caller disposes of it. */
  readonly rootKey: SecretKey;
  /** Authenticated; the one to go on with, which is the older copy if only that opened. */
  readonly file: VaultFile;
  /** The slot that opened. */
  readonly slotId: string;
}

export interface UnlockOptions {
  /** Try this slot alone. */
  readonly slotId?: string;
  /** Looked at before each slot; one that is being tried is finished. */
  readonly signal?: AbortSignal;
  /** How long the keychain may wait for somebody to unlock it; a minute if not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
}

/**
 * Opens a slot and authenticates the whole file with what was in it.
 *
 * Without `slotId`, the slots of the secret's kind are tried in their order, one at a time, as `cryptsetup open` does, and their work
 * together is bounded by `MAX_UNLOCK_WORK_KIB`; with it, that slot alone. When the two copies differ (an interrupted change), the newer
 * one is tried first, and what opens or is authentic counts: the old secret still opens the older one.
 *
 * @throws VaultError WRONG_KEY, DAMAGED (a slot opens, and the file was changed by someone without the root key), NOT_FOUND (no slot
 *   `slotId`), ABORTED, FAILED (not enough memory), INVALID_INPUT (a slot of another kind, a bad passphrase or recovery code, not a keyfile), KEYCHAIN_UNAVAILABLE, KEYCHAIN_LOCKED, KEYCHAIN_ITEM_MISSING,
 *   KEYCHAIN_ITEM_WRONG, or what reading a keyfile throws. The hint names what else opens the vault.
 */
export async function unlockVaultFile(
  file: VaultFile,
  secret: SlotSecret,
  options: UnlockOptions = {},
): Promise<UnlockedVaultFile> {
  const copies = file.other === undefined ? [file.current] : [file.current, file.other];
  const { slotId } = options;
  if (slotId !== undefined) checkSlotId(copies, slotId, secret);
  const slots = copies.flatMap(({ content }) => content.slots);
  const chosen = slotId === undefined ? slots : slots.filter(({ id }) => id === slotId);
  try {
    using loaded = await loadSecret(
      secret,
      { vaultId: file.vaultId, slots: chosen },
      toKeychainOptions(options),
    );
    return await unlockWith(file, loaded, { ...options, secret });
  } catch (error) {
    throw error instanceof VaultError && isAboutSecret(error)
      ? withOtherWays(error, file.slots, secret.kind)
      : error;
  }
}

/** Whether another secret may do where this one did not. */
function isAboutSecret({ code }: VaultError): boolean {
  return code === 'WRONG_KEY' || code.startsWith('KEYCHAIN_');
}

/** `unlockVaultFile` with a secret that has been read. */
export async function unlockWith(
  file: VaultFile,
  loaded: LoadedSecret,
  options: UnlockOptions & { readonly secret?: SlotSecret } = {},
): Promise<UnlockedVaultFile> {
  const copies = file.other === undefined ? [file.current] : [file.current, file.other];
  const { slotId } = options;
  using attempts = new Attempts(loaded);
  let isTampered = false;
  for (const copy of copies) {
    for (const slot of copy.content.slots) {
      if (slot.kind !== loaded.kind || (slotId !== undefined && slot.id !== slotId)) continue;
      if (options.signal?.aborted === true) {
        throw new VaultError('ABORTED', 'opening was cancelled', { cause: options.signal.reason });
      }
      const rootKey = await attempts.open(slot);
      if (rootKey === undefined) continue;
      if (isAuthentic(copy, rootKey)) {
        refuseOlderCopy(file, copy, rootKey);
        return {
          rootKey: attempts.release(rootKey),
          file: accepted(file, copy, loaded.warnings),
          slotId: slot.id,
        };
      }
      isTampered = true;
    }
  }
  if (isTampered) throw tampered(file);
  throw wrongKey(file, loaded.kind, options.secret, attempts.isExhausted);
}

/**
 * An interrupted change leaves `vault.json` one generation ahead of its copy, and was never acknowledged: either secret may open the vault then.
 * In any other case the newer file was acknowledged, or somebody put an old one back: what opens only the older one was removed.
 */
function refuseOlderCopy(file: VaultFile, opened: ParsedVaultFile, rootKey: SecretKey): void {
  const newer = file.current;
  if (opened === newer || !isAuthentic(newer, rootKey)) return;
  const isInterrupted = file.isFirstCurrent && newer.content.generation === opened.content.generation + 1;
  if (isInterrupted) return;
  throw new VaultError(
    'WRONG_KEY',
    'what was given opens only an older copy of the key slots, which no longer counts',
    {
      hint: 'an old vault.json was put back; use the secret that opened the vault last',
    },
  );
}

/** Tries slots, none twice, within the bound on work. Root keys that are not released are zeroed with it. */
class Attempts implements Disposable {
  readonly #secret: LoadedSecret;
  readonly #results = new Map<string, SecretKey | undefined>();
  #workKiB = 0;
  #isExhausted = false;

  constructor(secret: LoadedSecret) {
    this.#secret = secret;
  }

  /** Whether a slot was passed over because the work was used up. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  async open(slot: Slot): Promise<SecretKey | undefined> {
    // The two copies mostly have the same slots.
    const identity = JSON.stringify(slot);
    if (this.#results.has(identity)) return this.#results.get(identity);
    const workKiB = slot.kind === 'passphrase' ? slot.argon2id.memoryKiB * slot.argon2id.passes : 0;
    if (this.#workKiB + workKiB > MAX_UNLOCK_WORK_KIB) {
      this.#isExhausted = true;
      return undefined;
    }
    this.#workKiB += workKiB;
    const rootKey = await openSlot(slot, this.#secret);
    this.#results.set(identity, rootKey);
    return rootKey;
  }

  release(rootKey: SecretKey): SecretKey {
    for (const [identity, other] of this.#results) if (other === rootKey) this.#results.delete(identity);
    return rootKey;
  }

  [Symbol.dispose](): void {
    for (const rootKey of this.#results.values()) rootKey?.[Symbol.dispose]();
    this.#results.clear();
  }
}

function accepted(file: VaultFile, copy: ParsedVaultFile, secretWarnings: readonly string[]): VaultFile {
  const { paths, isCopyForeign, needsRepair, modeWarnings } = file;
  const warnings = [...file.warnings.filter((warning) => !modeWarnings.includes(warning)), ...secretWarnings];
  const found = { modeWarnings, needsRepair, isCopyForeign };
  if (copy === file.current) return vaultFileOf(paths, copy, { ...found, warnings, other: file.other });
  const older =
    'only the older copy of the key slots opens: the last change of them was interrupted and does not count';
  return vaultFileOf(paths, copy, { ...found, warnings: [...warnings, older], other: file.current });
}

function checkSlotId(copies: readonly ParsedVaultFile[], slotId: string, secret: SlotSecret): void {
  const slot = copies.flatMap(({ content }) => content.slots).find(({ id }) => id === slotId);
  if (slot === undefined) {
    throw new VaultError('NOT_FOUND', `there is no key slot ${slotId}`, {
      hint: '`coffer key ls` lists them',
    });
  }
  if (slot.kind !== secret.kind) {
    throw new VaultError(
      'INVALID_INPUT',
      `key slot ${slotId} opens with a ${slotKindName(slot.kind)}, not with a ${slotKindName(secret.kind)}`,
    );
  }
}

function wrongKey(
  file: VaultFile,
  kind: SlotKind,
  secret: SlotSecret | undefined,
  isExhausted: boolean,
): VaultError {
  const name = slotKindName(kind);
  const what = secret?.kind === 'keyfile' ? `${name} ${secret.path}` : name;
  if (file.slots.every((slot) => slot.kind !== kind)) {
    return new VaultError('WRONG_KEY', `this vault does not open with a ${name}`, {
      hint: '`coffer key ls` shows what it opens with',
    });
  }
  if (kind === 'keychain') {
    return new VaultError('KEYCHAIN_ITEM_WRONG', 'what the keychain has for this vault does not open it');
  }
  if (!isExhausted) {
    return new VaultError('WRONG_KEY', `the ${what} does not open this vault`, {
      hint: '`coffer key ls` shows what opens it, and since when: what did before may have been changed or removed',
    });
  }
  return new VaultError('WRONG_KEY', `the ${what} opens none of the key slots that were tried`, {
    hint: 'the slots are too expensive to try all of them; `slotId` of openVault names the one to try',
  });
}

function tampered(file: VaultFile): VaultError {
  return new VaultError(
    'DAMAGED',
    `the key slots in ${file.paths.vaultFile} were changed by something other than Coffer`,
    {
      hint: `the secret is right; ${PUT_BACK}`,
    },
  );
}
