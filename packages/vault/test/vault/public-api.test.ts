import { expect, test } from 'vitest';
import * as vault from '../../src/index.ts';

test('the package exports these names', () => {
  expect(Object.keys(vault).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_ARGON2ID",
      "FINDING_KINDS",
      "Vault",
      "VaultError",
      "checkChangeable",
      "checkNotOpen",
      "checkRestore",
      "createKeyfile",
      "createRecoveryCode",
      "createRecoveryCodeFile",
      "createVault",
      "defaultVaultDirectory",
      "diagnose",
      "findOwner",
      "forgetKeychainVault",
      "listKeychainVaults",
      "openVault",
      "parseRecoveryCode",
      "passphraseWarning",
      "readVaultSlots",
      "rebuildVault",
      "restoreVault",
      "vaultPaths",
    ]
  `);
});
