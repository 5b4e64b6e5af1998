import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyfile, openVault, restoreVault } from '../../src/index.ts';
import type { SlotSecret, Vault } from '../../src/index.ts';
import {
  expectNowhere,
  expectOpensNothing,
  keeping,
  rotate,
  stealRootKey,
  wrappedKeys,
} from '../vault/rotation.ts';
import { TestVault, all } from '../vault/test-vault.ts';
import { openBackup, summaryOf } from './support.ts';

const SIZES = [10, 150_000, 700_000];

/** A vault with a backup of it. */
async function backedUp(): Promise<{ made: TestVault; directory: string }> {
  const made = await TestVault.create();
  for (const size of SIZES) await made.put(`file-${String(size)}`, randomBytes(size));
  const directory = made.path('backup');
  await all(made.vault.backup(directory));
  return { made, directory };
}

/** Everything in it reads as the vault's own, and a vault restored from it, too. */
async function expectSame(made: TestVault, directory: string): Promise<void> {
  const expected = made.vault.list().files;
  const look = async (vault: Vault): Promise<void> => {
    expect(vault.list().files).toEqual(expected);
    expect(await all(vault.check())).toMatchObject([
      { type: 'summary', findings: 0, filesRead: SIZES.length },
    ]);
  };
  await openBackup(made, directory, look);
  const restored = made.path('restored');
  expect(
    await all(restoreVault({ source: directory, directory: restored, secret: made.secret })),
  ).toMatchObject([{ type: 'summary', findings: 0 }]);
  await openBackup(made, restored, look);
}

describe('after a rotation of the root key', () => {
  test('a backup gets new headers, and nothing in it opens with the old key', async () => {
    const { made, directory } = await backedUp();
    const second: SlotSecret = { kind: 'keyfile', path: made.path('second') };
    await createKeyfile(second.path);
    await made.vault.addSlot(second);
    await all(made.vault.backup(directory));
    const old = await stealRootKey(made.directory, made.secret);
    const before = wrappedKeys(directory);
    expect(before.length).toBeGreaterThanOrEqual(4);
    await rotate(made.vault, keeping(made.vault, made.secret));
    // Until then it is a backup of the vault as it was, which opens with what opened it then.
    await openBackup({ secret: second }, directory, (backup) => {
      expect(backup.status().keyEpoch).toBe(1);
    });
    expect(summaryOf(await all(made.vault.backup(directory)))).toMatchObject({
      copied: { files: 0 },
      updated: { files: 2 },
      unchanged: { files: 0 },
    });
    await expectSame(made, directory);
    await expectOpensNothing(directory, old);
    expectNowhere(directory, before);
    await expect(openVault({ directory, secret: second })).rejects.toMatchObject({ code: 'WRONG_KEY' });
    old[Symbol.dispose]();
  });

  test('a backup has the salt of the new database twice, and is restored whole without its first page', async () => {
    const { made, directory } = await backedUp();
    const [database, copy] = [join(directory, 'data.db'), join(directory, 'data.db.reserve')];
    const saltBefore = readFileSync(copy);
    await rotate(made.vault, keeping(made.vault, made.secret));
    await all(made.vault.backup(directory));
    const bytes = readFileSync(database);
    expect(readFileSync(copy)).toEqual(bytes.subarray(0, 16));
    expect(readFileSync(copy)).not.toEqual(saltBefore);
    writeFileSync(database, bytes.fill(0, 0, 4096));
    const restored = made.path('restored');
    expect(
      await all(restoreVault({ source: directory, directory: restored, secret: made.secret })),
    ).toMatchObject([
      { finding: { code: 'PAGE_DAMAGED' } },
      { type: 'summary', findings: 1, files: SIZES.length },
    ]);
    await openBackup(made, restored, (vault) => {
      expect(vault.list().files).toEqual(made.vault.list().files);
    });
  });

  test('files that were sealed again are copied whole: their new headers do not fit the old content', async () => {
    const { made, directory } = await backedUp();
    await rotate(made.vault, { ...keeping(made.vault, made.secret), reseal: true });
    expect(summaryOf(await all(made.vault.backup(directory)))).toMatchObject({
      copied: { files: 2 },
      updated: { files: 0 },
    });
    await expectSame(made, directory);
  });

  test('a backup of a vault whose rotation was interrupted opens, is whole, and can be restored and gone on with', async () => {
    const { made, directory } = await backedUp();
    for await (const event of made.vault.rotate(keeping(made.vault, made.secret)))
      if (event.type === 'slots') break;
    expect(made.vault.status().rotation).toBe('database');
    await all(made.vault.backup(directory));
    await expectSame(made, directory);
    await using restored = await openVault({ directory: made.path('restored'), secret: made.secret });
    await all(restored.resumeRotation());
    expect(restored.status()).toMatchObject({ rotation: 'none', keyEpoch: 2 });
    expect(await all(restored.check())).toMatchObject([{ findings: 0 }]);
  });
});

test('a backup and a rotation wait for one another', async () => {
  const { made, directory } = await backedUp();
  await made.put('another', randomBytes(150_000));
  for await (const event of made.vault.backup(directory)) {
    if (event.type !== 'copied') continue;
    await expect(rotate(made.vault, keeping(made.vault, made.secret))).rejects.toMatchObject({
      code: 'IN_USE',
    });
  }
  for await (const event of made.vault.rotate(keeping(made.vault, made.secret))) {
    if (event.type !== 'slots') continue;
    await expect(all(made.vault.backup(directory))).rejects.toMatchObject({ code: 'IN_USE' });
  }
  await all(made.vault.backup(directory));
});
