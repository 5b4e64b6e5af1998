import { SecretKey } from '@coffer/crypto';
import { readFile, stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { addSlot, removeSlot, replaceSlot } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import type { VaultFile } from '../../src/vault-file/vault-file.ts';
import type { SlotSecret } from '../../src/slots/slot.ts';
import { CHEAP, TestFolder, newKeyfile, passphrase } from '../support.ts';

async function rootOf(file: VaultFile, secret: SlotSecret, slotId?: string): Promise<Uint8Array> {
  const { rootKey } = await unlockVaultFile(file, secret, slotId === undefined ? {} : { slotId });
  using _ = rootKey;
  return rootKey.exportBytes();
}

test('a new vault file opens with its passphrase, in the default cost, and with nothing else', async () => {
  await using folder = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const secret = passphrase('correct horse battery staple');
  await createVaultFile(folder.vault(), { rootKey, secret });
  const file = await readVaultFile(folder.vault());
  expect(file.warnings).toEqual([]);
  expect(await rootOf(file, secret)).toEqual(rootKey.exportBytes());
  await expect(unlockVaultFile(file, passphrase('correct horse battery stapl'))).rejects.toMatchObject({
    code: 'WRONG_KEY',
  });
});

test('both copies are the same bytes and for the owner alone', async () => {
  await using folder = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const paths = folder.vault();
  await createVaultFile(paths, { rootKey, secret: passphrase('a'), argon2id: CHEAP });
  expect(await readFile(paths.vaultFileCopy)).toEqual(await readFile(paths.vaultFile));
  for (const path of [paths.vaultFile, paths.vaultFileCopy])
    expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('slots are added, replaced and removed, and each change counts at once', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const first = passphrase('first');
  const second = passphrase('second');
  const keyfile = await newKeyfile(keys, 'key');
  const created = await createVaultFile(folder.vault(), {
    rootKey,
    secret: first,
    argon2id: CHEAP,
    label: 'mine',
  });
  const added = await addSlot(created, rootKey, keyfile, { label: 'USB stick' });
  expect(await rootOf(await readVaultFile(folder.vault()), keyfile)).toEqual(rootKey.exportBytes());
  const replaced = await replaceSlot(added.file, rootKey, created.slots[0]?.id ?? '', second, {
    argon2id: CHEAP,
  });
  expect(replaced.slot.label).toBe('mine');
  const file = await readVaultFile(folder.vault());
  expect(await rootOf(file, second)).toEqual(rootKey.exportBytes());
  await expect(unlockVaultFile(file, first)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  const removed = await removeSlot(replaced.file, rootKey, added.slot.id);
  expect(removed.slots).toEqual([replaced.slot]);
  await expect(unlockVaultFile(await readVaultFile(folder.vault()), keyfile)).rejects.toMatchObject({
    code: 'WRONG_KEY',
  });
  await expect(removeSlot(removed, rootKey, replaced.slot.id)).rejects.toMatchObject({ code: 'LAST_SLOT' });
});
