import { examineModes } from './doctor/examine-folder.ts';
import { examineVaultFile } from './doctor/examine-vault-file.ts';
import { toFinding } from './doctor/finding.ts';
import type { Finding } from './doctor/finding.ts';
import type { VaultPaths } from './paths.ts';
import { REMEDY, describeRollback } from './rollback/rollback-guard.ts';
import type { Rollback } from './rollback/rollback-guard.ts';

/** What is wrong with vault.json, its copy, and the modes of the vault's files, and what opening the vault has `repaired`. */
export async function ownFindings(
  paths: VaultPaths,
  repaired: readonly string[],
  rollback?: Rollback,
): Promise<readonly Finding[]> {
  const mended = repaired.map((message) => ({
    ...toFinding('VAULT_FILE_COPY', { item: paths.vaultFile, message }),
    cost: 'nothing: both copies are whole again',
    remedy: 'nothing more: opening the vault has put it right',
  }));
  return [
    ...rolledBack(paths, rollback),
    ...mended,
    ...(await examineVaultFile(paths)),
    ...examineModes(paths),
  ];
}

function rolledBack({ database }: VaultPaths, rollback: Rollback | undefined): Finding[] {
  if (rollback === undefined) return [];
  const { seen, found } = rollback;
  const subject = found.commits < seen.commits ? 'database' : 'slots';
  const finding = toFinding('ROLLED_BACK', { item: database, message: describeRollback(rollback) });
  return [{ ...finding, subject, remedy: REMEDY }];
}
