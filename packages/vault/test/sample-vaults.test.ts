import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openVault } from '../src/index.ts';
import type { FileEntry, SlotInfo, SlotSecret, Vault } from '../src/index.ts';
import { all } from './vault/test-vault.ts';

const SAMPLES = join(import.meta.dirname, '../../../vectors/vaults');

interface ExpectedVault {
  readonly vaultId: string;
  readonly keyEpoch: number;
  readonly slots: readonly SlotInfo[];
  readonly files: readonly FileEntry[];
}

const versions = readdirSync(SAMPLES).filter((name) => /^v\d+$/.test(name));
const samples = versions.flatMap((version) => {
  const text = readFileSync(join(SAMPLES, version, 'expected.json'), 'utf8');
  return Object.entries(JSON.parse(text) as Record<string, ExpectedVault>).map(
    ([name, expected]) => [version, name, expected] as const,
  );
});

/** A copy of a version's samples, with the modes that git does not keep. */
function copyOf(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-sample-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  cpSync(join(SAMPLES, version), folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
  }
  return folder;
}

function secretOf(folder: string, name: string, kind: string): SlotSecret {
  if (kind === 'keyfile') return { kind, path: join(folder, 'keyfile') };
  if (kind === 'recovery') return { kind, code: readFileSync(join(folder, `recovery-code-${name}.txt`)) };
  return { kind: 'passphrase', passphrase: readFileSync(join(folder, 'passphrase.txt')) };
}

async function expectContent(vault: Vault, expected: ExpectedVault): Promise<void> {
  const { files } = vault.list({ recursive: true, folder: '', sort: 'created' });
  const byId = (entries: readonly FileEntry[]): readonly FileEntry[] =>
    entries
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((file) => ({ ...file, tags: [...file.tags].sort() }));
  expect(byId(files)).toEqual(byId(expected.files));
  for (const { id, sha256 } of expected.files) {
    const hash = createHash('sha256');
    for await (const piece of vault.read(`id:${id}`)) hash.update(piece);
    expect(hash.digest('hex')).toBe(sha256);
  }
}

test('there are samples of the first version, with every kind of key that needs no machine', () => {
  expect(versions).toContain('v1');
  for (const [, , { slots, files }] of samples) {
    expect(slots.map(({ kind }) => kind).sort()).toEqual(['keyfile', 'passphrase', 'recovery']);
    expect(new Set(files.map(({ placement }) => placement))).toEqual(new Set(['blob', 'sealed']));
  }
});

describe.each(samples)('the sample %s/%s', (version, name, expected) => {
  test.each(expected.slots.map(({ kind }) => kind))(
    'opens with its %s, and has what it should',
    async (kind) => {
      const folder = copyOf(version);
      const open = (): Promise<Vault> =>
        openVault({ directory: join(folder, name), secret: secretOf(folder, name, kind) });
      {
        await using vault = await open();
        expect([vault.vaultId, vault.slots()]).toEqual([expected.vaultId, expected.slots]);
        // Of a rotation that is not finished it is said.
        expect(vault.warnings).toHaveLength(expected.keyEpoch > 1 ? 1 : 0);
        await expectContent(vault, expected);
        if (expected.keyEpoch > 1) await all(vault.resumeRotation());
        await expectContent(vault, expected);
        expect(await all(vault.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
      }
      // And once more, after whatever this version has changed in it.
      await using vault = await open();
      await expectContent(vault, expected);
      expect((await vault.keyEpochs()).map(({ epoch }) => epoch)).toEqual([expected.keyEpoch]);
    },
  );
});
