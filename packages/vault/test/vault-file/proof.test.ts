import { SecretKey } from '@coffer/crypto';
import { readFile, readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { loadSecret } from '../../src/slots/loaded-secret.ts';
import { drawRandomness, makeSlot } from '../../src/slots/make-slot.ts';
import type { Slot } from '../../src/slots/slot.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { writeVaultFile } from '../../src/vault-file/write.ts';
import { TestFolder, newKeyfile } from '../support.ts';

/** Each spoils a slot that would open. */
const BAD_SLOTS: readonly (readonly [string, (slot: Slot) => Slot])[] = [
  ['does not open', (slot) => ({ ...slot, wrappedKey: `${slot.wrappedKey.slice(0, -2)}AA` })],
  [
    'has another salt',
    (slot) => (slot.kind === 'keyfile' ? { ...slot, hkdf: { salt: '00'.repeat(16) } } : slot),
  ],
  [
    'is not there under its id',
    (slot) => ({ ...slot, id: slot.id === '00000000' ? '11111111' : '00000000' }),
  ],
];

test.each(BAD_SLOTS)('a new slot that %s changes neither copy', async (_name, spoil) => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const keyfile = await newKeyfile(keys, 'key');
  const paths = folder.vault();
  const { current } = await createVaultFile(paths, { rootKey, secret: keyfile });
  const before = await readFile(paths.vaultFile);
  using secret = await loadSecret(keyfile, { vaultId: current.content.vaultId, slots: [] });
  const slot = await makeSlot(rootKey, secret, {}, drawRandomness(current.content.slots));
  const content = { ...current.content, generation: 2, slots: [spoil(slot)] };
  const prove = [{ id: slot.id, secret }];
  await expect(writeVaultFile(paths, content, rootKey, { prove })).rejects.toMatchObject({ code: 'FAILED' });
  expect(await readFile(paths.vaultFile)).toEqual(before);
  expect(await readFile(paths.vaultFileCopy)).toEqual(before);
  expect((await readdir(folder.path)).sort()).toEqual(['vault.json', 'vault.json.bak']);
});

test('a new slot that opens another root key changes neither copy', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  using rootKey = SecretKey.generate();
  using otherKey = SecretKey.generate();
  const keyfile = await newKeyfile(keys, 'key');
  const paths = folder.vault();
  const { current } = await createVaultFile(paths, { rootKey, secret: keyfile });
  const before = await readFile(paths.vaultFile);
  using secret = await loadSecret(keyfile, { vaultId: current.content.vaultId, slots: [] });
  const slot = await makeSlot(otherKey, secret);
  const content = { ...current.content, generation: 2, slots: [slot] };
  const prove = [{ id: slot.id, secret }];
  await expect(writeVaultFile(paths, content, rootKey, { prove })).rejects.toMatchObject({ code: 'FAILED' });
  expect(await readFile(paths.vaultFile)).toEqual(before);
});
