import type { Finding } from './files/check-vault.ts';
import type { VaultPaths } from './paths.ts';
import { REMEDY, describeRollback } from './rollback/rollback-guard.ts';
import type { Rollback } from './rollback/rollback-guard.ts';
import { readVaultFile } from './vault-file/read.ts';

/** What is wrong with vault.json, its copy, and the modes of the vault's folder, and what opening the vault has `repaired`. */
export async function ownFindings(
  paths: VaultPaths,
  repaired: readonly string[],
  rollback?: Rollback,
): Promise<readonly Finding[]> {
  const { warnings, modeWarnings, isCopyForeign } = await readVaultFile(paths);
  const mended = repaired.map((message) =>
    finding(message, 'nothing more: opening the vault has put it right'),
  );
  const found = warnings.map((message): Finding => {
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
    return finding(message, remedy);
  });
  return [...rolledBack(rollback), ...mended, ...found];
}

function rolledBack(rollback: Rollback | undefined): Finding[] {
  if (rollback === undefined) return [];
  const { seen, found } = rollback;
  const subject = found.commits < seen.commits ? 'database' : 'slots';
  return [{ code: 'ROLLED_BACK', subject, message: describeRollback(rollback), remedy: REMEDY }];
}

function finding(message: string, remedy: string): Finding {
  return { code: 'VAULT_FILE_COPY', subject: 'slots', message, remedy };
}
