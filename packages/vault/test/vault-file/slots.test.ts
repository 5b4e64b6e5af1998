import { SecretKey } from '@coffer/crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { addSlot, removeSlot, replaceSlot } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import type { VaultFile } from '../../src/vault-file/vault-file.ts';
import type { SlotSecret } from '../../src/slots/slot.ts';
import { CHEAP, TestFolder, newKeyfile, passphrase } from '../support.ts';

async function rootOf(file: VaultFile, secret: SlotSecret, slotId?: string): Promise<Uint8Array> {
  const unlocked = await unlockVaultFile(file, secret, slotId === undefined ? {} : { slotId });
  using rootKey = unlocked.rootKey;
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

describe('a change', () => {
  test('of a slot that is not there is NOT_FOUND', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const file = await createVaultFile(folder.vault(), { rootKey, secret });
    await expect(removeSlot(file, rootKey, '00000000')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(replaceSlot(file, rootKey, '00000000', secret)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('to a 17th slot is refused, and one of 16 can still be replaced', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    let file = await createVaultFile(folder.vault(), { rootKey, secret });
    while (file.slots.length < 16) {
      const another = await newKeyfile(keys, String(file.slots.length));
      ({ file } = await addSlot(file, rootKey, another));
    }
    const more = await newKeyfile(keys, 'more');
    await expect(addSlot(file, rootKey, more)).rejects.toMatchObject({ code: 'TOO_MANY_SLOTS' });
    const fresh = await newKeyfile(keys, 'fresh');
    const replaced = await replaceSlot(file, rootKey, file.slots[7]?.id ?? '', fresh);
    expect(replaced.file.slots.map(({ id }) => id).indexOf(replaced.slot.id)).toBe(7);
    expect(await rootOf(await readVaultFile(folder.vault()), fresh)).toEqual(rootKey.exportBytes());
  });

  test('that starts from what is not on disk any more is refused and changes nothing', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const stale = await createVaultFile(folder.vault(), { rootKey, secret });
    const { slot } = await addSlot(stale, rootKey, await newKeyfile(keys, 'second'));
    await expect(addSlot(stale, rootKey, await newKeyfile(keys, 'third'))).rejects.toMatchObject({
      code: 'IN_USE',
    });
    expect((await readVaultFile(folder.vault())).slots.map(({ id }) => id)).toEqual([
      stale.slots[0]?.id,
      slot.id,
    ]);
  });

  test('is one of two at the same time: the other is refused, and none is lost', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const file = await createVaultFile(folder.vault(), { rootKey, secret });
    const others = await Promise.all(['a', 'b', 'c'].map((name) => newKeyfile(keys, name)));
    const results = await Promise.allSettled(others.map((other) => addSlot(file, rootKey, other)));
    const done = results.filter((result) => result.status === 'fulfilled');
    expect(done).toHaveLength(1);
    expect((await readVaultFile(folder.vault())).slots).toEqual(done[0]?.value.file.slots);
  });

  test('with another root key is refused', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    using otherKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const file = await createVaultFile(folder.vault(), { rootKey, secret });
    const other = await newKeyfile(keys, 'other');
    await expect(addSlot(file, otherKey, other)).rejects.toMatchObject({ code: 'WRONG_KEY' });
  });

  test('with a keyfile inside the vault, a bad label or a bad cost is INVALID_INPUT, and changes nothing', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const file = await createVaultFile(folder.vault(), { rootKey, secret });
    const before = await readFile(folder.vault().vaultFile);
    const inside = await newKeyfile(folder, 'inside');
    const other = await newKeyfile(keys, 'other');
    const bad = [
      () => addSlot(file, rootKey, inside),
      () => addSlot(file, rootKey, other, { label: ' \n ' }),
      () => addSlot(file, rootKey, other, { label: 'a\u202eb' }),
      () => addSlot(file, rootKey, passphrase('x'), { argon2id: { ...CHEAP, memoryKiB: 1024 } }),
      () => addSlot(file, rootKey, passphrase('\n')),
    ];
    for (const change of bad) await expect(change()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await readFile(folder.vault().vaultFile)).toEqual(before);
  });

  test('counts the generation up by one and keeps the vault id', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const created = await createVaultFile(folder.vault(), {
      rootKey,
      secret,
      nowMs: 5,
      label: '  Zoe\u0308 ',
    });
    expect(created.slots).toEqual([
      expect.objectContaining({ createdAtMs: 5, kind: 'keyfile', label: 'Zo\u00eb' }),
    ]);
    const { file } = await addSlot(created, rootKey, await newKeyfile(keys, 'other'));
    expect(file).toMatchObject({ generation: 2, vaultId: created.vaultId });
  });
});

describe('a new vault file', () => {
  test('never replaces one, nor its copy', async () => {
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    for (const place of ['vaultFile', 'vaultFileCopy'] as const) {
      await using folder = await TestFolder.make();
      await writeFile(folder.vault()[place], 'mine');
      await expect(createVaultFile(folder.vault(), { rootKey, secret })).rejects.toMatchObject({
        code: 'EXISTS',
      });
      expect(await readFile(folder.vault()[place], 'utf8')).toBe('mine');
    }
  });

  test('of two made at the same time in one folder is one', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const secret = await newKeyfile(keys, 'key');
    const make = () => createVaultFile(folder.vault(), { rootKey, secret });
    const results = await Promise.allSettled([make(), make()]);
    const [done, ...others] = results.filter((result) => result.status === 'fulfilled');
    expect(others).toEqual([]);
    expect(results).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ code: 'EXISTS' }) as unknown }),
    );
    const { vaultId, warnings } = await readVaultFile(folder.vault());
    expect({ vaultId, warnings }).toEqual({ vaultId: done?.value.vaultId, warnings: [] });
  });

  test('with a bad vault id is refused', async () => {
    await using folder = await TestFolder.make();
    using rootKey = SecretKey.generate();
    const options = { rootKey, secret: passphrase('x'), vaultId: 'x' };
    await expect(createVaultFile(folder.vault(), options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
