import { VaultError } from '../errors.ts';
import type { VaultPaths } from '../paths.ts';
import { readVaultFile } from '../vault-file/read.ts';
import { toFinding } from './finding.ts';
import type { Finding } from './finding.ts';

/** What is wrong with the two copies of the key slots. Throws `NO_VAULT`, `TOO_NEW`, `NOT_PERMITTED`. */
export async function examineVaultFile(paths: VaultPaths): Promise<Finding[]> {
  const { vaultFile, vaultFileCopy } = paths;
  try {
    const { warnings, modeWarnings, isCopyForeign } = await readVaultFile(paths);
    return warnings
      .filter((message) => !modeWarnings.includes(message))
      .map((message) => {
        if (isCopyForeign) return toFinding('VAULT_FILE_FOREIGN', { item: vaultFileCopy, message });
        return toFinding('VAULT_FILE_COPY', { item: whichCopy(paths, message), message });
      });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'DAMAGED') throw error;
    return [toFinding('VAULT_FILE_LOST', { item: vaultFile, message: error.message })];
  }
}

/** The one that a message names first is the one that it is about. */
function whichCopy({ vaultFile, vaultFileCopy }: VaultPaths, message: string): string {
  return message.startsWith(vaultFileCopy) ? vaultFileCopy : vaultFile;
}
