import type { Finding } from './files/check-vault.ts';
import type { VaultPaths } from './paths.ts';
import { readVaultFile } from './vault-file/read.ts';

/** What is wrong with vault.json, its copy, and the modes of the vault's folder. */
export async function ownFindings(paths: VaultPaths): Promise<readonly Finding[]> {
  const { warnings, modeWarnings, isCopyForeign } = await readVaultFile(paths);
  return warnings.map((message) => {
    if (modeWarnings.includes(message)) {
      return {
        code: 'LOOSE_MODE',
        subject: 'folder',
        message,
        remedy: 'take the access away, as the message says',
      };
    }
    const remedy = isCopyForeign
      ? 'move the copy away, or put the right one back'
      : 'open the vault again: both copies are then written anew';
    return { code: 'VAULT_FILE_COPY', subject: 'slots', message, remedy };
  });
}
