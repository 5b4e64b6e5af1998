// Another process that makes or opens a vault with a key file, and says how that ended.
import { VaultError, createVault, openVault } from '../../src/index.ts';

const [what = '', directory = '', path = ''] = process.argv.slice(2);
const secret = { kind: 'keyfile', path } as const;
try {
  await using vault = await (what === 'create' ? createVault : openVault)({ directory, secret });
  console.log(`open ${vault.vaultId}`);
} catch (error) {
  console.log(error instanceof VaultError ? error.code : String(error));
}
