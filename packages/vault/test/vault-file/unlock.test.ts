import { SecretKey } from '@coffer/crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Slot, SlotSecret } from '../../src/slots/slot.ts';
import { addSlot } from '../../src/vault-file/change-slots.ts';
import { createVaultFile } from '../../src/vault-file/create.ts';
import { encodeVaultFile } from '../../src/vault-file/encode.ts';
import { parseVaultFile } from '../../src/vault-file/parse.ts';
import { readVaultFile } from '../../src/vault-file/read.ts';
import { unlockVaultFile } from '../../src/vault-file/unlock.ts';
import { vaultFileOf } from '../../src/vault-file/vault-file.ts';
import type { VaultFile } from '../../src/vault-file/vault-file.ts';
import { CHEAP, TestFolder, newKeyfile, onPosix, passphrase } from '../support.ts';

const rootKey = SecretKey.fromBytes(new Uint8Array(32).fill(9));

/** A vault with the passphrases one and two, and a keyfile. */
async function makeVault(
  folder: TestFolder,
  keys: TestFolder,
): Promise<{ file: VaultFile; keyfile: SlotSecret }> {
  const keyfile = await newKeyfile(keys, 'key');
  let file = await createVaultFile(folder.vault(), { rootKey, secret: passphrase('one'), argon2id: CHEAP });
  for (const secret of [passphrase('two'), keyfile]) {
    ({ file } = await addSlot(file, rootKey, secret, { argon2id: CHEAP }));
  }
  return { file, keyfile };
}

async function slotOpenedBy(file: VaultFile, secret: SlotSecret, slotId?: string): Promise<string> {
  const unlocked = await unlockVaultFile(file, secret, slotId === undefined ? {} : { slotId });
  using opened = unlocked.rootKey;
  expect(opened.exportBytes()).toEqual(rootKey.exportBytes());
  return unlocked.slotId;
}

describe('with several slots', () => {
  test('a secret finds the slot that it opens', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const { file, keyfile } = await makeVault(folder, keys);
    const ids = file.slots.map(({ id }) => id);
    expect(await slotOpenedBy(file, passphrase('one'))).toBe(ids[0]);
    expect(await slotOpenedBy(file, passphrase('two'))).toBe(ids[1]);
    expect(await slotOpenedBy(file, keyfile)).toBe(ids[2]);
  });

  test('with a slot named, that one alone is tried', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const { file } = await makeVault(folder, keys);
    const [one, two, key] = file.slots.map(({ id }) => id);
    expect(await slotOpenedBy(file, passphrase('two'), two)).toBe(two);
    await expect(unlockVaultFile(file, passphrase('two'), { slotId: one ?? '' })).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
    await expect(unlockVaultFile(file, passphrase('two'), { slotId: key ?? '' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(unlockVaultFile(file, passphrase('two'), { slotId: '00000000' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('a secret of a kind that no slot has is a wrong key, and says so', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const file = await createVaultFile(folder.vault(), { rootKey, secret: await newKeyfile(keys, 'key') });
    await expect(unlockVaultFile(file, passphrase('one'))).rejects.toThrow(
      'this vault does not open with a passphrase',
    );
  });
});

describe('the work that a file can ask for', () => {
  /** A file of the slot that `x` opens, and beside it one as expensive as can be. */
  async function makeExpensive(
    folder: TestFolder,
    order: (cheap: Slot, expensive: Slot) => Slot[],
  ): Promise<VaultFile> {
    const file = await createVaultFile(folder.vault(), { rootKey, secret: passphrase('x'), argon2id: CHEAP });
    const { content } = file.current;
    const [slot] = content.slots;
    if (slot?.kind !== 'passphrase') throw new Error('it has a passphrase slot');
    const argon2id = { ...slot.argon2id, memoryKiB: 1_048_576, passes: 10 };
    const slots = order(slot, { ...slot, id: 'eeeeeeee', argon2id });
    const bytes = encodeVaultFile({ ...content, slots }, rootKey);
    return vaultFileOf(file.paths, parseVaultFile(bytes, 'vault.json'));
  }

  test('beyond that of the most expensive slot, slots are passed over, and the error says so', async () => {
    await using folder = await TestFolder.make();
    const file = await makeExpensive(folder, (cheap, expensive) => [cheap, expensive]);
    await expect(unlockVaultFile(file, passphrase('y'))).rejects.toMatchObject({
      code: 'WRONG_KEY',
      hint: expect.stringContaining('too expensive') as string,
    });
  });

  test('a slot that is named opens without any other being tried', async () => {
    await using folder = await TestFolder.make();
    const file = await makeExpensive(folder, (cheap, expensive) => [expensive, cheap]);
    const slotId = file.slots.at(-1)?.id ?? '';
    expect(await slotOpenedBy(file, passphrase('x'), slotId)).toBe(slotId);
  });
});

test('with a signal that is aborted, no slot is tried', async () => {
  await using folder = await TestFolder.make();
  const file = await createVaultFile(folder.vault(), { rootKey, secret: passphrase('x'), argon2id: CHEAP });
  const signal = AbortSignal.abort();
  await expect(unlockVaultFile(file, passphrase('x'), { signal })).rejects.toMatchObject({ code: 'ABORTED' });
});

describe('what was changed without the root key', () => {
  async function tamper(file: VaultFile, change: (text: string) => string): Promise<void> {
    // With the checksum made right again, which anyone can.
    const { sha256, bytesToHex } = await import('@coffer/crypto');
    const [signed = ''] = change(await readFile(file.paths.vaultFile, 'utf8')).split(',\n  "checksum"');
    const checksum = bytesToHex(sha256(new TextEncoder().encode(signed)));
    await writeFile(file.paths.vaultFile, `${signed},\n  "checksum": "${checksum}"\n}\n`);
  }
  const forgeGeneration = (text: string): string => text.replace(/"generation": \d+/, '"generation": 77');

  test('is not used while the other copy is authentic', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const { file, keyfile } = await makeVault(folder, keys);
    await tamper(file, forgeGeneration);
    const read = await readVaultFile(file.paths);
    expect(read.generation).toBe(77);
    const unlocked = await unlockVaultFile(read, keyfile);
    expect(unlocked.file).toMatchObject({ generation: 3, needsRepair: true });
  });

  test('in both copies is DAMAGED with the right secret, and WRONG_KEY with a wrong one', async () => {
    await using folder = await TestFolder.make();
    await using keys = await TestFolder.make();
    const { file, keyfile } = await makeVault(folder, keys);
    await tamper(file, forgeGeneration);
    await writeFile(file.paths.vaultFileCopy, await readFile(file.paths.vaultFile));
    const read = await readVaultFile(file.paths);
    await expect(unlockVaultFile(read, keyfile)).rejects.toMatchObject({ code: 'DAMAGED' });
    await expect(unlockVaultFile(read, await newKeyfile(keys, 'wrong'))).rejects.toMatchObject({
      code: 'WRONG_KEY',
    });
  });
});

test('errors hold nothing of a secret', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const { file } = await makeVault(folder, keys);
  const wrong = await newKeyfile(keys, 'wrong');
  const keyHex = /v1:([0-9a-f]{64})/.exec(await readFile(keys.join('wrong'), 'utf8'))?.[1] ?? '';
  for (const secret of [passphrase('hunter2-hunter2'), wrong]) {
    const error: unknown = await unlockVaultFile(file, secret).catch((thrown: unknown) => thrown);
    const shown = inspect(error, { depth: 10, showHidden: true });
    expect(shown).toContain('WRONG_KEY');
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(keyHex);
  }
});

test('the passphrase that was passed in stays as it is, for its owner to zero', async () => {
  await using folder = await TestFolder.make();
  const secret = passphrase('one');
  const file = await createVaultFile(folder.vault(), { rootKey, secret, argon2id: CHEAP });
  await slotOpenedBy(file, secret);
  expect(secret).toEqual(passphrase('one'));
});

onPosix('a keyfile that others can read opens, with a warning', async () => {
  await using folder = await TestFolder.make();
  await using keys = await TestFolder.make();
  const secret = await newKeyfile(keys, 'key');
  const file = await createVaultFile(folder.vault(), { rootKey, secret });
  await chmod(keys.join('key'), 0o644);
  const unlocked = await unlockVaultFile(file, secret);
  expect(unlocked.file.warnings).toEqual([expect.stringContaining(keys.join('key'))]);
});
