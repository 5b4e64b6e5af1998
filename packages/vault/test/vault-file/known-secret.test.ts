import { SecretKey } from '@coffer/crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createVault } from '../../src/create-vault.ts';
import { openVault } from '../../src/open-vault.ts';
import { createRecoveryCode } from '../../src/recovery-code.ts';
import { addSlot } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { writeVaultFile } from '../../src/vault-file/write.ts';
import type { SlotSecret } from '../../src/slots/slot.ts';
import { vaultPaths } from '../../src/paths.ts';
import { loadSecret } from '../../src/slots/loaded-secret.ts';
import { drawRandomness, makeSlot } from '../../src/slots/make-slot.ts';
import { CHEAP, TestFolder, newKeyfile, passphrase } from '../support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a secret that opens a slot is refused for a second one, by the name of its slot, and nothing is changed', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const keyfile = await newKeyfile(keys, 'key');
  const code = createRecoveryCode();
  let file = await createVaultFile(folder.vault(), {
    rootKey,
    secret: passphrase('Zo\u00eb'),
    argon2id: CHEAP,
    label: 'desk',
    recoveryCode: code,
  });
  ({ file } = await addSlot(file, rootKey, keyfile, { label: 'stick' }));
  const before = await readFile(folder.vault().vaultFile);
  const [first, recovery, stick] = file.slots;
  const refused = [
    // The same in another normal form, and with the newline of a file.
    [
      passphrase('Zoe\u0308\n'),
      `this passphrase opens the vault already: the passphrase “desk” (slot ${String(first?.id)})`,
    ],
    [keyfile, `this key file opens the vault already: the key file “stick” (slot ${String(stick?.id)})`],
    [
      { kind: 'recovery', code },
      `this recovery code opens the vault already: the recovery code (slot ${String(recovery?.id)})`,
    ],
  ] as const;
  for (const [secret, message] of refused)
    await expect(addSlot(file, rootKey, secret)).rejects.toMatchObject({ code: 'EXISTS', message });
  expect(await readFile(folder.vault().vaultFile)).toEqual(before);
});

test('a passphrase is looked for in slots of every cost', async () => {
  await using folder = await TestFolder.make();
  using rootKey = SecretKey.generate();
  let file = await createVaultFile(folder.vault(), { rootKey, secret: passphrase('one'), argon2id: CHEAP });
  ({ file } = await addSlot(file, rootKey, passphrase('two'), { argon2id: { ...CHEAP, passes: 3 } }));
  const again = addSlot(file, rootKey, passphrase('two'), { argon2id: CHEAP });
  await expect(again).rejects.toMatchObject({ code: 'EXISTS' });
});

test('trying the slots ends when it is cancelled', async () => {
  await using folder = await TestFolder.make();
  using rootKey = SecretKey.generate();
  const file = await createVaultFile(folder.vault(), { rootKey, secret: passphrase('one'), argon2id: CHEAP });
  const signal = AbortSignal.abort();
  await expect(addSlot(file, rootKey, passphrase('two'), { argon2id: CHEAP, signal })).rejects.toMatchObject({
    code: 'ABORTED',
  });
});

test('a passphrase is not changed to one that opens a slot, its own or another', async () => {
  await using folder = await TestFolder.make();
  const directory = folder.join('vault');
  await (await createVault({ directory, secret: passphrase('one'), argon2id: CHEAP })).close();
  await using vault = await openVault({ directory, secret: passphrase('one') });
  const other = await vault.addSlot(passphrase('two'), { argon2id: CHEAP, label: 'desk' });
  const before = vault.slots();
  await expect(vault.changePassphrase({ current: bytes('one'), next: bytes('two') })).rejects.toMatchObject({
    code: 'EXISTS',
    message: `this passphrase opens the vault already: the passphrase “desk” (slot ${other.id})`,
  });
  await expect(vault.changePassphrase({ current: bytes('one'), next: bytes('one\n') })).rejects.toMatchObject(
    {
      code: 'EXISTS',
      message: `this passphrase opens the vault already: the passphrase (slot ${String(before[0]?.id)})`,
    },
  );
  expect(vault.slots()).toEqual(before);
});

test('a passphrase with two slots, as earlier versions made them, is not changed in one of them unless that one is named', async () => {
  await using folder = await TestFolder.make();
  const directory = folder.join('vault');
  await (await createVault({ directory, secret: passphrase('one'), argon2id: CHEAP })).close();
  await addTwin(directory, passphrase('one'));
  await using vault = await openVault({ directory, secret: passphrase('one') });
  const [first, twin] = vault.slots().map(({ id }) => id);
  const options = { current: bytes('one'), next: bytes('two') };
  await expect(vault.changePassphrase(options)).rejects.toMatchObject({
    code: 'AMBIGUOUS',
    candidates: [first, twin],
  });
  expect(vault.slots().map(({ id }) => id)).toEqual([first, twin]);
  expect(await vault.changePassphrase({ ...options, slotId: twin ?? '' })).toMatchObject({
    kind: 'passphrase',
  });
});

/** A second slot of the same secret, which no function makes any more. */
async function addTwin(directory: string, secret: SlotSecret): Promise<void> {
  const file = await readVaultFile(vaultPaths(directory));
  const unlocked = await unlockVaultFile(file, secret);
  using rootKey = unlocked.rootKey;
  using loaded = await loadSecret(secret, { vaultId: file.vaultId, slots: [] });
  const { content } = file.current;
  const twin = await makeSlot(rootKey, loaded, { argon2id: CHEAP }, drawRandomness(content.slots));
  const slots = [...content.slots, twin];
  await writeVaultFile(file.paths, { ...content, generation: content.generation + 1, slots }, rootKey);
}
