import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openVault } from '../../src/index.ts';
import type { FindingCode, Vault } from '../../src/index.ts';
import { all } from './test-vault.ts';
import type { TestVault } from './test-vault.ts';

const PAGE_SIZE_BYTES = 4096;

/** The vault with each page of its database damaged in turn, where it opens so. */
export async function* withOneBadPage(
  made: TestVault,
): AsyncGenerator<{ readonly vault: Vault; readonly page: number }> {
  await made.vault.close();
  const path = join(made.directory, 'data.db');
  const whole = readFileSync(path);
  onTestFinished(() => {
    writeFileSync(path, whole);
  });
  for (let page = 0; page * PAGE_SIZE_BYTES < whole.length; page += 1) {
    const bytes = Buffer.from(whole);
    const at = page * PAGE_SIZE_BYTES + 1500;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    const vault = await openVault(made).catch(() => undefined);
    if (vault === undefined) continue;
    yield { vault, page };
    // The log of what can't be written is no news.
    await vault.close().catch(() => undefined);
  }
}

/** What a check names: all files, or those whose rows can't be read. */
export async function damagedPaths(vault: Vault, code?: FindingCode): Promise<Set<string>> {
  const events = await all(vault.check({ mode: 'full' }));
  const findings = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
  const wanted = findings.filter((finding) => code === undefined || finding.code === code);
  return new Set(wanted.flatMap(({ path }) => (path === undefined ? [] : [path])));
}
