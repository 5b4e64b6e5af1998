import { resolve } from 'node:path';
import { usageError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** The folder of the vault, absolute: --vault, else COFFER_VAULT, else the application data folder of the operating system. */
export async function chooseVaultDirectory({
  globals,
  host,
}: Pick<Context, 'globals' | 'host'>): Promise<string> {
  // An empty name is a variable of a script that was never set; taking it for the current folder would be a surprise.
  if (globals.vault === '') throw usageError('--vault is empty');
  const named = globals.vault ?? host.env['COFFER_VAULT'];
  if (named !== undefined && named !== '') return resolve(named);
  const { defaultVaultDirectory } = await import('@coffer/vault');
  return defaultVaultDirectory(host);
}
