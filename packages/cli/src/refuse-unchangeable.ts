import { accessSync, constants } from 'node:fs';
import type { Context } from './context.ts';
import { chooseVaultDirectory } from './input/vault-directory.ts';

/** For a command that changes the vault: says that it can only be read before anything is asked or done. Throws `NOT_PERMITTED`. */
export async function refuseUnchangeable(context: Context): Promise<void> {
  const directory = await chooseVaultDirectory(context);
  // What knows all about it takes longer to load than an agent to answer.
  if (mayWrite(directory)) return;
  const { checkChangeable } = await import('@coffer/vault');
  await checkChangeable(directory);
}

function mayWrite(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
