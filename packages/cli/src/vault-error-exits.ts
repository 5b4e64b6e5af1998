import type { VaultErrorCode } from '@coffer/vault';
import type { ExitName } from './exit-codes.ts';

/** How the program exits for each code of a `VaultError`; the compiler holds it complete. */
export const VAULT_ERROR_EXITS: Readonly<Record<VaultErrorCode, ExitName>> = {
  NO_VAULT: 'noVault',
  IN_USE: 'inUse',
  WRONG_KEY: 'wrongKey',
  TOO_NEW: 'tooNew',
  DAMAGED: 'damaged',
  NOT_FOUND: 'notFound',
  EXISTS: 'exists',
  NO_SPACE: 'refusedBySystem',
  NOT_PERMITTED: 'refusedBySystem',
  INVALID_INPUT: 'usage',
  AMBIGUOUS: 'usage',
  NOT_A_FILE: 'usage',
  LAST_SLOT: 'usage',
  ROLLED_BACK: 'damaged',
  KEYCHAIN_UNAVAILABLE: 'inputNeeded',
  KEYCHAIN_LOCKED: 'inputNeeded',
  KEYCHAIN_ITEM_MISSING: 'wrongKey',
  KEYCHAIN_ITEM_WRONG: 'wrongKey',
  TOO_MANY_SLOTS: 'usage',
  SOME_FAILED: 'someFailed',
  ABORTED: 'interrupted',
  SOURCE_CHANGED: 'unexpected',
  CLOSED: 'locked',
  UNSUPPORTED_RUNTIME: 'unexpected',
  FAILED: 'unexpected',
};
