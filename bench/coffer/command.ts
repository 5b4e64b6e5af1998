import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess } from '../harness/measured-process.ts';
import type { ProcessResult } from '../harness/measured-process.ts';
import type { BenchVault } from './vaults.ts';

export const COFFER_BIN: string = join(import.meta.dirname, '../../packages/cli/dist/bin.js');

/** Runs `coffer` as it is shipped: compiled, not from its sources. */
export async function runCoffer(
  vault: BenchVault | undefined,
  args: readonly string[],
): Promise<ProcessResult> {
  if (!existsSync(COFFER_BIN)) throw new Error('packages/cli is not built: run `npx -y pnpm@12.21.0 build`');
  const options = vault === undefined ? [] : ['--vault', vault.directory, '--keyfile', vault.keyfile];
  return runProcess(process.execPath, [COFFER_BIN, ...options, ...args]);
}
