import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VaultError, diagnose, openVault } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { TestVault, all } from './test-vault.ts';

const PAGE_SIZE_BYTES = 4096;

/** What opening says with each page of the database zeroed in turn; nothing for a page that it can do without. */
async function refusals(
  made: TestVault,
): Promise<{ readonly damage: () => void; readonly error: unknown }[]> {
  await made.vault.close();
  const path = join(made.directory, 'data.db');
  const whole = readFileSync(path);
  const refused = [];
  for (let start = 0; start < whole.length; start += PAGE_SIZE_BYTES) {
    const damage = (): void => {
      writeFileSync(path, Buffer.from(whole).fill(0, start, start + PAGE_SIZE_BYTES));
    };
    damage();
    try {
      const vault = await open(made);
      // The log of what can't be written is no news.
      await vault.close().catch(() => undefined);
    } catch (error) {
      refused.push({ damage, error });
    }
  }
  return refused;
}

function open({ directory, secret }: TestVault): Promise<Vault> {
  return openVault({ directory, secret });
}

describe('a page of the database without which the vault does not open', () => {
  test('is refused with the path of the database, and with advice that does not need the vault open', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const refused = await refusals(made);
    // The first page, the rest of the schema, the settings.
    expect(refused.length).toBeGreaterThanOrEqual(3);
    for (const { error } of refused) {
      expect(error).toBeInstanceOf(VaultError);
      expect(error).toMatchObject({
        code: 'DAMAGED',
        message: expect.stringContaining(join(made.directory, 'data.db')) as string,
        hint: expect.stringMatching(/put data\.db back|put back both/) as string,
      });
    }
  });

  test('is found by the doctor with the same advice', async () => {
    const made = await TestVault.create();
    const refused = await refusals(made);
    for (const { damage, error } of refused) {
      damage();
      const { directory } = made;
      const events = await all(diagnose({ directory, open: () => open(made) }));
      const findings = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
      expect(error).toBeInstanceOf(VaultError);
      if (error instanceof VaultError)
        expect(findings).toMatchObject([
          { code: 'DATABASE_UNREADABLE', item: directory, message: error.message, remedy: error.hint },
        ]);
    }
  });
});
