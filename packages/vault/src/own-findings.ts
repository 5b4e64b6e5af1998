import { examineModes } from './doctor/examine-folder.ts';
import { examinePlaces } from './doctor/examine-places.ts';
import { examineVaultFile } from './doctor/examine-vault-file.ts';
import { toFinding } from './doctor/finding.ts';
import type { Finding } from './doctor/finding.ts';
import type { VaultPaths } from './paths.ts';
import { REMEDY, describeRollback } from './rollback/rollback-guard.ts';
import type { Rollback } from './rollback/rollback-guard.ts';

/** What is wrong with vault.json, its copy, what is in the place of the vault's files, their modes, and what opening the vault has `repaired`. */
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
    ...examinePlaces(paths),
    ...examineModes(paths),
  ];
}

/** The database and vault.json are told apart: an older one costs something else than an older other one. */
function rolledBack({ database, vaultFile }: VaultPaths, rollback: Rollback | undefined): Finding[] {
  if (rollback === undefined) return [];
  const { seen, found } = rollback;
  const findings: Finding[] = [];
  if (found.commits < seen.commits) {
    const message = describeRollback({ seen, found: { ...found, generation: seen.generation } });
    findings.push({ ...toFinding('ROLLED_BACK', { item: database, message }), remedy: REMEDY });
  }
  if (found.generation < seen.generation) {
    const message = describeRollback({ seen, found: { ...found, commits: seen.commits } });
    findings.push({
      ...toFinding('ROLLED_BACK', { item: vaultFile, message }),
      subject: 'slots',
      cost: 'what was removed or changed of the key slots since then opens the vault again; no file is missing for it',
      remedy: REMEDY,
    });
  }
  return findings;
}
