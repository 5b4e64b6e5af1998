import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { VaultError, createKeyfile, createVault } from '../../packages/vault/src/index.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import { bounded } from '../engine/bounded.ts';
import { OUTSIDE, SOURCE_KEYS, sourceArbitrary, writeSource } from '../archive/hostile-source.ts';

const { COFFER_FUZZ_RUNS: runs = '60', COFFER_FUZZ_SEED: seed = '20261124' } = process.env;

/** A few rows of 130 kB, whatever the source says of them. */
const BOUNDS = { maxCpuMs: 5_000, maxGrowthMiB: 192, hangsAfterMs: 60_000 };

test(
  'whatever is in a vault of the original application, each row comes in whole or is refused by name, and nothing else is touched',
  { timeout: 300_000 + Number(runs) * 1_000 },
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'coffer-import-'));
    const secret = { kind: 'keyfile', path: join(root, 'key') } as const;
    await createKeyfile(secret.path);
    const vault = await createVault({ directory: join(root, 'vault'), secret });
    onTestFinished(async () => {
      await vault.close();
      rmSync(root, { recursive: true, force: true });
    });
    writeFileSync(join(root, OUTSIDE), 'what is outside');
    const source = join(root, 'source');
    await fc.assert(
      fc.asyncProperty(sourceArbitrary(), async (hostile) => {
        writeSource(source, hostile);
        const before = digestOf(source);
        expect(await bounded(() => importAll(vault, source), BOUNDS)).toEqual([]);
        expect(digestOf(source)).toBe(before);
      }),
      { numRuns: Number(runs), seed: Number(seed), endOnFailure: true },
    );
    for (const { path } of vault.list({ recursive: true, folder: '' }).files) {
      expect(await contentOf(vault, path)).not.toContain('what is outside');
    }
  },
);

/** What is not as promised. */
async function importAll(vault: Vault, source: string): Promise<string[]> {
  const wrong: string[] = [];
  try {
    for await (const event of vault.importDiscordopus(source, SOURCE_KEYS)) {
      if (event.type === 'failed' && !isSaid(event.error))
        wrong.push(`${event.source}: ${event.error.message}`);
    }
  } catch (error) {
    if (!(error instanceof VaultError) || !isSaid(error)) wrong.push(String(error));
  }
  return wrong;
}

function isSaid({ code, message }: VaultError): boolean {
  return code !== 'FAILED' && message !== '';
}

async function contentOf(vault: Vault, path: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of vault.read(path)) pieces.push(piece);
  return Buffer.concat(pieces).toString('latin1');
}

function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    hash.update(entry.name);
    if (entry.isFile()) hash.update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}
