import { bytesToHex, randomBytes } from '@coffer/crypto';
import type { SecretKey } from '@coffer/crypto';
import { lstat } from 'node:fs/promises';
import { VaultError } from '../errors.ts';
import { refuseKeyfileInside } from '../keyfile.ts';
import type { VaultPaths } from '../paths.ts';
import { parseLabel } from '../slots/label.ts';
import { loadSecret } from '../slots/loaded-secret.ts';
import { makeSlot } from '../slots/make-slot.ts';
import type { Argon2idCost, SlotSecret } from '../slots/slot.ts';
import { FORMAT, FORMAT_VERSION } from './content.ts';
import { takeTurn } from './take-turn.ts';
import { vaultFileOf } from './vault-file.ts';
import type { VaultFile } from './vault-file.ts';
import { writeVaultFile } from './write.ts';

const VAULT_ID_SIZE_BYTES = 16;

/** How a new slot is made. */
export interface NewSlotOptions {
  readonly label?: string;
  /** 64 MiB, 3 passes, parallelism 4 if not given. */
  readonly argon2id?: Argon2idCost;
  readonly nowMs?: number;
}

export interface CreateVaultFileOptions extends NewSlotOptions {
  readonly rootKey: SecretKey;
  readonly secret: SlotSecret;
  /** 32 hex digits; random if not given. */
  readonly vaultId?: string;
}

/**
 * Writes the key slots of a new vault, with one slot, in both copies. The folder must exist. The slot is proven and both copies are
 * durable when this returns.
 *
 * @throws VaultError EXISTS, INVALID_INPUT (secret, label, cost, vault id, a keyfile inside the vault), NO_SPACE, NOT_PERMITTED, FAILED,
 *   or what reading a keyfile throws
 */
export async function createVaultFile(
  paths: VaultPaths,
  options: CreateVaultFileOptions,
): Promise<VaultFile> {
  const { rootKey, secret, vaultId = bytesToHex(randomBytes(VAULT_ID_SIZE_BYTES)) } = options;
  if (!/^[0-9a-f]{32}$/.test(vaultId)) throw new VaultError('INVALID_INPUT', 'a vault id is 32 hex digits');
  if (secret.kind === 'keyfile') await refuseKeyfileInside(secret.path, paths.directory);
  using loaded = await loadSecret(secret);
  const slot = await makeSlot(rootKey, loaded, toSlotOptions(options));
  const content = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    vaultId,
    generation: 1,
    slots: [slot],
  } as const;
  const written = await takeTurn(paths.vaultFile, async () => {
    for (const path of [paths.vaultFile, paths.vaultFileCopy]) await refuseExisting(path);
    return await writeVaultFile(paths, content, rootKey, {
      prove: { id: slot.id, secret: loaded },
      isNew: true,
    });
  });
  return vaultFileOf(paths, written, { warnings: loaded.warnings });
}

export function toSlotOptions({ label, argon2id, nowMs }: NewSlotOptions): Parameters<typeof makeSlot>[2] {
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
