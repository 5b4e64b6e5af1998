import type { Finding } from './files/check-vault.ts';
import type { VaultPaths } from './paths.ts';
import { readVaultFile } from './vault-file/read.ts';

/** What is wrong with vault.json, its copy, and the modes of the vault's folder. */
export async function ownFindings(paths: VaultPaths): Promise<readonly Finding[]> {
  const { warnings } = await readVaultFile(paths);
  return warnings.map((message) => {
    const isMode = message.startsWith('other users');
    return {
      code: isMode ? 'LOOSE_MODE' : 'VAULT_FILE_COPY',
      subject: isMode ? 'folder' : 'slots',
      message,
      remedy: isMode
        ? 'take the access away, as the message says'
        : 'open the vault again: both copies are then written anew',
    };
  });
}
