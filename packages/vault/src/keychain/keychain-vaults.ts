import { VaultError } from '../errors.ts';
import { Keychain } from './keychain.ts';
import type { KeychainOptions } from './keychain.ts';

/** What the keychain of this machine has for one vault. */
export interface KeychainVault {
  /** 32 hex digits. */
  readonly vaultId: string;
  /** The key slots that have an item. */
  readonly slotIds: readonly string[];
  /** How many copies of the vault have an item that remembers how far they were. */
  readonly evidenceCount: number;
}

const ACCOUNT = /^vault\/([0-9a-f]{32})\/(slot|evidence)\/([0-9a-f]{1,64})$/;

/**
 * Lists the vaults that this machine's keychain has items of, also those whose folder is gone: the keychain knows ids and no places. Nobody is asked to unlock anything.
 *
 * @throws VaultError KEYCHAIN_UNAVAILABLE (also where it can't be listed: on macOS and Windows), KEYCHAIN_LOCKED, FAILED, ABORTED
 */
export async function listKeychainVaults(options: KeychainOptions = {}): Promise<readonly KeychainVault[]> {
  using keychain = new Keychain(options);
  return toVaults(await keychain.accounts());
}

/**
 * Removes all items that this machine's keychain has of a vault, which the vault's other slots then open. Returns what they were.
 *
 * @throws VaultError NOT_FOUND (it has none), and as `listKeychainVaults`
 */
export async function forgetKeychainVault(
  vaultId: string,
  options: KeychainOptions = {},
): Promise<KeychainVault> {
  using keychain = new Keychain(options);
  const accounts = (await keychain.accounts()).filter((account) => ACCOUNT.exec(account)?.[1] === vaultId);
  const [found] = toVaults(accounts);
  if (found === undefined) {
    throw new VaultError('NOT_FOUND', `the keychain has nothing of a vault ${vaultId}`, {
      hint: '`coffer key keychain` lists the vaults that it has something of',
    });
  }
  for (const account of accounts) await keychain.remove(account);
  return found;
}

function toVaults(accounts: readonly string[]): KeychainVault[] {
  const vaults = new Map<string, { slotIds: string[]; evidenceCount: number }>();
  for (const account of accounts.toSorted()) {
    const [, vaultId, kind, id] = ACCOUNT.exec(account) ?? [];
    if (vaultId === undefined || id === undefined) continue;
    const vault = vaults.get(vaultId) ?? { slotIds: [], evidenceCount: 0 };
    if (kind === 'slot') vault.slotIds.push(id);
    else vault.evidenceCount += 1;
    vaults.set(vaultId, vault);
  }
  return [...vaults].map(([vaultId, vault]) => ({ vaultId, ...vault }));
}
