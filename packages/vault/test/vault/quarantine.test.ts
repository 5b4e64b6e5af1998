import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VaultError } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { TestVault, all } from './test-vault.ts';

const CALLS: readonly (readonly [string, (vault: Vault) => Promise<unknown>])[] = [
  ['listing', (vault) => vault.quarantine()],
  ['adopting', (vault) => all(vault.adopt(['0123']))],
  ['dropping', (vault) => all(vault.dropQuarantined(['0123']))],
];

test.each(CALLS)(
  'a quarantine that cannot be read is refused as everything of a vault is: %s',
  async (_what, call) => {
    const made = await TestVault.create();
    writeFileSync(join(made.directory, 'quarantine'), 'not a folder');
    const error: unknown = await call(made.vault).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VaultError);
    expect(error).toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining('quarantine') as string,
    });
  },
);
