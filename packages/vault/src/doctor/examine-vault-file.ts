import { lstatSync } from 'node:fs';
import { VaultError } from '../errors.ts';
import type { VaultPaths } from '../paths.ts';
import { readVaultFile } from '../vault-file/read.ts';
import { toFinding } from './finding.ts';
import type { Finding } from './finding.ts';
import { quoteForShell } from './quote-for-shell.ts';

/** What is wrong with the two copies of the key slots. Throws `NO_VAULT`, `TOO_NEW`, `NOT_PERMITTED`. */
export async function examineVaultFile(paths: VaultPaths): Promise<Finding[]> {
  const { vaultFile, vaultFileCopy } = paths;
  try {
    const { warnings, modeWarnings, isCopyForeign } = await readVaultFile(paths);
    return warnings
      .filter((message) => !modeWarnings.includes(message))
      .map((message) => {
        if (isCopyForeign) return toFinding('VAULT_FILE_FOREIGN', { item: vaultFileCopy, message });
        return movedAway(toFinding('VAULT_FILE_COPY', { item: whichCopy(paths, message), message }));
      });
  } catch (error) {
    if (!(error instanceof VaultError) || error.code !== 'DAMAGED') throw error;
    return [movedAway(toFinding('VAULT_FILE_LOST', { item: vaultFile, message: error.message }))];
  }
}

/** No file takes the place of a folder, by whatever command, before that is out of the way. */
function movedAway(finding: Finding): Finding {
  const { item, remedy, mend } = finding;
  if (lstatSync(item, { throwIfNoEntry: false })?.isDirectory() !== true) return finding;
  return {
    ...finding,
    remedy: `move away the folder that is in its place; then ${remedy}`,
    mend: `mv ${quoteForShell(item)} . && ${mend}`,
    isFixable: false,
  };
}

/** The one that a message names first is the one that it is about. */
function whichCopy({ vaultFile, vaultFileCopy }: VaultPaths, message: string): string {
  return message.startsWith(vaultFileCopy) ? vaultFileCopy : vaultFile;
}
