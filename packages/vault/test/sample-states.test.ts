import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openVault, restoreVault } from '../src/index.ts';
import type { FileEntry, SlotSecret, Vault } from '../src/index.ts';
import { all } from './vault/test-vault.ts';

const SAMPLES = join(import.meta.dirname, '../../../vectors/vaults');

interface Expected {
  readonly vaultId: string;
  readonly files: readonly FileEntry[];
}

interface States {
  readonly killed: Expected & { readonly removed: string; readonly quarantined: string };
  readonly backup: Expected;
  readonly headers: Expected;
}

const versions = readdirSync(SAMPLES).filter((name) => /^v\d+-states$/.test(name));

/** A copy of a version's samples, with the modes that git does not keep. */
function copyOf(version: string): { folder: string; secret: SlotSecret; expected: States } {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-sample-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  cpSync(join(SAMPLES, version), folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600);
  }
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as States;
  return { folder, secret: { kind: 'keyfile', path: join(folder, 'keyfile') }, expected };
}

/** Every file is listed as it was, and its bytes have its SHA-256. */
async function expectFiles(vault: Vault, { vaultId, files }: Expected): Promise<void> {
  expect(vault.vaultId).toBe(vaultId);
  const byId = (a: FileEntry, b: FileEntry): number => (a.id < b.id ? -1 : 1);
  expect(vault.list({ recursive: true, folder: '' }).files.toSorted(byId)).toEqual(files.toSorted(byId));
  for (const { id, sha256 } of files) {
    const hash = createHash('sha256');
    for await (const piece of vault.read(`id:${id}`)) hash.update(piece);
    expect(hash.digest('hex')).toBe(sha256);
  }
}

test('there are samples of states of the first version', () => {
  expect(versions).toContain('v1-states');
});

describe.each(versions)('of the samples %s', (version) => {
  test('a vault whose process was killed has what is in its log alone, and what was begun is finished', async () => {
    const { folder, secret, expected } = copyOf(version);
    const { removed, quarantined } = expected.killed;
    const directory = join(folder, 'killed');
    const names = (): string[] => readdirSync(join(directory, 'files'));
    expect(names().filter((name) => name.startsWith(removed) || name.endsWith('.tmp'))).toHaveLength(2);
    await using vault = await openVault({ directory, secret });
    await expectFiles(vault, expected.killed);
    expect(names().toSorted()).toEqual(
      expected.killed.files
        .filter(({ placement }) => placement === 'sealed')
        .map(({ id }) => `${id}.enc`)
        .toSorted(),
    );
    expect(await vault.quarantine()).toMatchObject([
      { id: quarantined, opens: true, contentSizeBytes: 2000 },
    ]);
    expect(await all(vault.adopt([quarantined]))).toMatchObject([{ type: 'adopted' }]);
    expect(await all(vault.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
  });

  test('a backup opens, is whole, and can be restored', async () => {
    const { folder, secret, expected } = copyOf(version);
    const source = join(folder, 'backup');
    {
      await using backup = await openVault({ directory: source, secret });
      await expectFiles(backup, expected.backup);
      expect(await all(backup.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
    }
    const directory = join(folder, 'restored');
    expect(await all(restoreVault({ source, directory, secret }))).toMatchObject([
      { type: 'summary', findings: 0, verified: true },
    ]);
    await using restored = await openVault({ directory, secret });
    await expectFiles(restored, expected.backup);
  });

  test('a rotation that was interrupted before its headers is gone on with', async () => {
    const { folder, secret, expected } = copyOf(version);
    await using vault = await openVault({ directory: join(folder, 'headers'), secret });
    expect(vault.warnings).toHaveLength(1);
    await expectFiles(vault, expected.headers);
    expect((await vault.keyEpochs()).map(({ epoch }) => epoch).toSorted()).toEqual([1, 2]);
    await all(vault.resumeRotation());
    expect((await vault.keyEpochs()).map(({ epoch }) => epoch)).toEqual([2]);
    await expectFiles(vault, expected.headers);
    expect(await all(vault.check())).toMatchObject([{ type: 'summary', findings: 0 }]);
    expect(existsSync(join(folder, 'headers', 'data.db.new'))).toBe(false);
  });
});
