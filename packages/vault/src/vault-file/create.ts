import { bytesToHex, randomBytes } from '@coffer/crypto';
import type { SecretKey } from '@coffer/crypto';
import { lstat } from 'node:fs/promises';
import { VaultError } from '../errors.ts';
import type { KeychainOptions } from '../keychain/keychain.ts';
import { removeSlotItem } from '../keychain/slot-item.ts';
import { refuseKeyfileInside } from '../keyfile.ts';
import type { VaultPaths } from '../paths.ts';
import { parseLabel } from '../slots/label.ts';
import { loadNewSecret } from '../slots/loaded-secret.ts';
import { drawRandomness, makeSlot } from '../slots/make-slot.ts';
import type { SlotOptions } from '../slots/make-slot.ts';
import type { Argon2idCost, Slot, SlotSecret } from '../slots/slot.ts';
import { FORMAT, FORMAT_VERSION } from './content.ts';
import { takeTurn } from './take-turn.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';
import { writeVaultFile } from './write.ts';
import type { SlotToProve } from './write.ts';

const VAULT_ID_SIZE_BYTES = 16;

/** How long the keychain is waited for. */
export interface KeychainPatience {
  /** How long it may wait for somebody to unlock it; a minute if not given. With 0 nobody is asked to. */
  readonly keychainTimeoutMs?: number;
  /** Ends waiting for it. */
  readonly signal?: AbortSignal;
}

/** How a new slot is made. */
export interface NewSlotOptions extends KeychainPatience {
  readonly label?: string;
  /** 64 MiB, 3 passes, parallelism 4 if not given. */
  readonly argon2id?: Argon2idCost;
  readonly nowMs?: number;
}

export interface CreateVaultFileOptions extends NewSlotOptions {
  readonly rootKey: SecretKey;
  readonly secret: SlotSecret;
  /** A second slot, that opens with this recovery code. Needed where the first opens with the keychain, which may be lost. */
  readonly recoveryCode?: Uint8Array;
  /** 32 hex digits; random if not given. */
  readonly vaultId?: string;
}

/**
 * Writes the key slots of a new vault, with one slot or with a second one for a recovery code, in both copies. The folder must exist. The slots are
 * proven and both copies are durable when this returns; when it throws, the keychain has no item for them.
 *
 * @throws VaultError EXISTS, INVALID_INPUT (secret, label, cost, vault id, a keyfile inside the vault), NO_SPACE, NOT_PERMITTED, FAILED,
 *   or what reading a keyfile throws
 */
export async function createVaultFile(
  paths: VaultPaths,
  options: CreateVaultFileOptions,
): Promise<VaultFile> {
  const { rootKey, secret, recoveryCode, vaultId = bytesToHex(randomBytes(VAULT_ID_SIZE_BYTES)) } = options;
  if (!/^[0-9a-f]{32}$/.test(vaultId)) throw new VaultError('INVALID_INPUT', 'a vault id is 32 hex digits');
  if (secret.kind === 'keyfile') await refuseKeyfileInside(secret.path, paths.directory);
  if (secret.kind === 'keychain' && recoveryCode === undefined) {
    throw new VaultError('INVALID_INPUT', 'the keychain cannot be the only thing that opens a vault', {
      hint: 'give it a recovery code as well: a keychain is lost with its machine or its login password',
    });
  }
  const secrets: readonly SlotSecret[] =
    recoveryCode === undefined ? [secret] : [secret, { kind: 'recovery', code: recoveryCode }];
  const { label, ...other } = toSlotOptions(options);
  const slots: Slot[] = [];
  const prove: SlotToProve[] = [];
  using loaded = new DisposableStack();
  try {
    for (const [index, each] of secrets.entries()) {
      const randomness = drawRandomness(slots);
      const { id } = randomness;
      const name = { vaultId, slotId: id };
      const own = loaded.use(await loadNewSecret(each, name, toKeychainOptions(options)));
      prove.push({ id, secret: own });
      const slotOptions = index === 0 && label !== undefined ? { ...other, label } : other;
      slots.push(await makeSlot(rootKey, own, slotOptions, randomness));
    }
    const content = { format: FORMAT, formatVersion: FORMAT_VERSION, vaultId, generation: 1, slots } as const;
    const written = await takeTurn(paths.vaultFile, async () => {
      for (const path of [paths.vaultFile, paths.vaultFileCopy]) await refuseExisting(path);
      return await writeVaultFile(paths, content, rootKey, { prove, isNew: true });
    });
    return vaultFileOf(paths, written, { warnings: prove.flatMap((each) => each.secret.warnings) });
  } catch (error) {
    // What made us give up is the error to report. A vault.json that may be there all the same is no vault before `init` has ended.
    if (secret.kind === 'keychain') {
      for (const { id } of prove.slice(0, 1))
        await removeSlotItem({ vaultId, slotId: id }, toKeychainOptions(options)).catch(() => undefined);
    }
    throw error;
  }
}

export function toKeychainOptions({ keychainTimeoutMs, signal }: KeychainPatience): KeychainOptions {
  return {
    ...(keychainTimeoutMs === undefined ? {} : { timeoutMs: keychainTimeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  };
}

export function toSlotOptions({ label, argon2id, nowMs }: NewSlotOptions): SlotOptions {
  return {
    ...(label === undefined ? {} : { label: parseLabel(label) }),
    ...(argon2id === undefined ? {} : { argon2id }),
    ...(nowMs === undefined ? {} : { createdAtMs: nowMs }),
  };
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new VaultError('EXISTS', `${path} exists already`, { hint: 'there is a vault in this folder' });
}
