// Another process that opens a vault with a key file, and says how that ended.
import { VaultError, openVault } from '../../src/index.ts';

const [directory = '', path = ''] = process.argv.slice(2);
try {
  await using vault = await openVault({ directory, secret: { kind: 'keyfile', path } });
  console.log(`open ${vault.vaultId}`);
} catch (error) {
  console.log(error instanceof VaultError ? error.code : String(error));
}
