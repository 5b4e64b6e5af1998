import { join } from 'node:path';
import { createKeyfile, createVault } from '../../packages/vault/src/index.ts';
import type { SlotSecret } from '../../packages/vault/src/index.ts';
import type { Workspace } from '../harness/workspace.ts';

/** A vault that opens with a key file: without Argon2id, whose cost is a choice. */
export interface BenchVault {
  readonly directory: string;
  readonly keyfile: string;
}

/** A new empty vault, closed. */
export async function makeVault(workspace: Workspace): Promise<BenchVault> {
  const folder = workspace.folder('vault');
  const vault = { directory: join(folder, 'vault'), keyfile: join(folder, 'key') };
  await createKeyfile(vault.keyfile);
  const created = await createVault({ directory: vault.directory, secret: secretOf(vault) });
  await created.close();
  return vault;
}

export function secretOf({ keyfile }: BenchVault): SlotSecret {
  return { kind: 'keyfile', path: keyfile };
}
