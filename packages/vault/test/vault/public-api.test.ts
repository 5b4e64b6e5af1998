import { expect, test } from 'vitest';
import * as vault from '../../src/index.ts';

test('the package exports these names', () => {
  expect(Object.keys(vault).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_ARGON2ID",
      "Vault",
      "VaultError",
      "checkRestore",
      "createKeyfile",
      "createRecoveryCode",
      "createRecoveryCodeFile",
      "createVault",
      "defaultVaultDirectory",
      "openVault",
      "parseRecoveryCode",
      "passphraseWarning",
      "readVaultSlots",
      "restoreVault",
      "vaultPaths",
    ]
  `);
});
