import { existsSync } from 'node:fs';
import { vaultPaths } from '../../packages/vault/src/index.ts';
import type { Stage } from '../stage.ts';
import type { Operation } from './operation.ts';

/** Whether there is a vault that opens: an operation that makes one may not have come so far. */
export function isVaultMade(operation: Operation, stage: Stage): boolean {
  if (!('runBare' in operation) || operation.makesVault === undefined) return true;
  return operation.makesVault.isMade?.(stage) ?? existsSync(vaultPaths(stage.vault).vaultFile);
}
