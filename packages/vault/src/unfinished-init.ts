import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { VaultPaths } from './paths.ts';

/** Stands in a vault's folder from the beginning of `init` to its end. */
export const UNFINISHED_INIT = 'init.unfinished';

/** Whether an `init` was cut short before there was a vault. */
export function isUnfinishedInit(paths: VaultPaths): boolean {
  return existsSync(join(paths.directory, UNFINISHED_INIT)) && !existsSync(paths.vaultFile);
}
