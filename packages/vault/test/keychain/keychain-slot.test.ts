import { mkdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createKeyfile,
  createRecoveryCode,
  createVault,
  openVault,
  readVaultSlots,
} from '../../src/index.ts';
import type { SlotSecret } from '../../src/index.ts';
import { Keychain } from '../../src/keychain/keychain.ts';
import { TestFolder, newKeyfile } from '../support.ts';
import { AGAIN_WHEN_IT_CRASHES, TestKeyring, missingForKeyring } from './test-keyring.ts';

const KEYCHAIN: SlotSecret = { kind: 'keychain' };
const account = (vaultId: string, slotId: string): string => `vault/${vaultId}/slot/${slotId}`;

/** A vault that opens with the keychain, a recovery code and a key file. */
async function makeVault(folder: TestFolder) {
  const directory = folder.join('vault');
  const code = createRecoveryCode();
  const keyfile: SlotSecret = { kind: 'keyfile', path: folder.join('key') };
  await createKeyfile(folder.join('key'));
  await using vault = await createVault({ directory, secret: KEYCHAIN, recoveryCode: code });
  await vault.addSlot(keyfile, { label: 'usb stick' });
  const [slot] = vault.slots();
  return {
    directory,
    keyfile,
    recovery: { kind: 'recovery', code } as const,
    vaultId: vault.vaultId,
    slotId: slot?.id ?? '',
    account: account(vault.vaultId, slot?.id ?? ''),
  };
}

describe.skipIf(missingForKeyring.length > 0)(
  `with a real gnome-keyring (missing: ${missingForKeyring.join(', ') || 'nothing'})`,
  AGAIN_WHEN_IT_CRASHES,
  () => {
    let keyring: TestKeyring;
    beforeAll(async () => {
      keyring = await TestKeyring.start();
    });
    afterAll(async () => {
      await keyring[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      await keyring.startDaemon();
    });

    test('a vault is made and opened, and its keychain item holds neither root key nor anything of vault.json', async () => {
      await using folder = await TestFolder.make();
      const { directory, account: name } = await makeVault(folder);
      await using vault = await openVault({ directory, secret: KEYCHAIN });
      expect(vault.slots().map(({ kind }) => kind)).toEqual(['keychain', 'recovery', 'keyfile']);
      using keychain = new Keychain();
      const item = await keychain.get(name);
      expect(item).toHaveLength(32);
      expect(await readFile(`${directory}/vault.json`, 'hex')).not.toContain(
        Buffer.from(item ?? []).toString('hex'),
      );
    });

    test('an item that was deleted is missing, and the others are offered by name and open', async () => {
      await using folder = await TestFolder.make();
      const { directory, account: name, recovery, keyfile } = await makeVault(folder);
      using keychain = new Keychain();
      expect(await keychain.remove(name)).toBe(true);
      const before = await readFile(`${directory}/vault.json`);
      await expect(openVault({ directory, secret: KEYCHAIN })).rejects.toMatchObject({
        code: 'KEYCHAIN_ITEM_MISSING',
        hint: expect.stringMatching(/recovery code \(slot .*\) or the key file “usb stick”/) as string,
      });
      for (const secret of [recovery, keyfile]) await (await openVault({ directory, secret })).close();
      // Nothing is ever deleted for it.
      expect(await readFile(`${directory}/vault.json`)).toEqual(before);
    });

    test('an item that was changed is wrong, whatever is in it', async () => {
      await using folder = await TestFolder.make();
      const { directory, account: name } = await makeVault(folder);
      using keychain = new Keychain();
      for (const bytes of [new Uint8Array(32), new Uint8Array(31), new Uint8Array(1)]) {
        await keychain.set(name, bytes);
        await expect(openVault({ directory, secret: KEYCHAIN })).rejects.toMatchObject({
          code: 'KEYCHAIN_ITEM_WRONG',
          hint: expect.stringContaining('recovery code') as string,
        });
      }
    });

    test('a locked keychain is said to be locked, and opens again when it is unlocked', async () => {
      await using folder = await TestFolder.make();
      const { directory } = await makeVault(folder);
      keyring.lock();
      await expect(openVault({ directory, secret: KEYCHAIN })).rejects.toMatchObject({
        code: 'KEYCHAIN_LOCKED',
        hint: expect.stringContaining('recovery code') as string,
      });
      await keyring.startDaemon();
      await (await openVault({ directory, secret: KEYCHAIN })).close();
    });

    test('a keychain that is gone is unavailable', async () => {
      await using folder = await TestFolder.make();
      const { directory } = await makeVault(folder);
      await keyring.stopDaemon();
      await expect(openVault({ directory, secret: KEYCHAIN })).rejects.toMatchObject({
        code: 'KEYCHAIN_UNAVAILABLE',
        hint: expect.stringContaining('recovery code') as string,
      });
    });

    test('a vault that two machines open has an item for each, and each passes over the other', async () => {
      await using folder = await TestFolder.make();
      const { directory, keyfile, account: first } = await makeVault(folder);
      await using vault = await openVault({ directory, secret: keyfile });
      const second = await vault.addSlot(KEYCHAIN, { label: 'laptop' });
      await vault.close();
      using keychain = new Keychain();
      await keychain.remove(first);
      await using opened = await openVault({ directory, secret: KEYCHAIN });
      expect(opened.slots()).toContainEqual(second);
    });

    test('removing a slot removes its item after it, and one that could not be removed is said', async () => {
      await using folder = await TestFolder.make();
      const { directory, keyfile, slotId, account: name } = await makeVault(folder);
      await using vault = await openVault({ directory, secret: keyfile });
      const other = await vault.addSlot(KEYCHAIN);
      expect(await vault.removeSlot(slotId)).toMatchObject({ id: slotId, warnings: [] });
      using keychain = new Keychain();
      expect(await keychain.get(name)).toBeUndefined();
      await keyring.stopDaemon();
      const removed = await vault.removeSlot(other.id);
      expect(removed.warnings).toEqual([expect.stringContaining('stays in the keychain')]);
      expect((await readVaultSlots(directory)).slots.map(({ kind }) => kind)).toEqual([
        'recovery',
        'keyfile',
      ]);
    });

    test('a slot that could not be added leaves no item', async () => {
      await using folder = await TestFolder.make();
      const { directory, keyfile } = await makeVault(folder);
      await using vault = await openVault({ directory, secret: keyfile });
      while (vault.slots().length < 16)
        await vault.addSlot(await newKeyfile(folder, `key-${String(vault.slots().length)}`));
      const count = (): number => keyring.itemCount();
      const before = count();
      expect(before).toBeGreaterThan(0);
      await expect(vault.addSlot(KEYCHAIN)).rejects.toMatchObject({ code: 'TOO_MANY_SLOTS' });
      await vault.removeSlot(vault.slots().at(-1)?.id ?? '');
      await expect(vault.addSlot(KEYCHAIN, { label: '\n' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      // The last moment: both copies are staged, and the new one can't take its place.
      await mkdir(`${directory}/vault.json.bak.tmp`);
      await expect(vault.addSlot(KEYCHAIN)).rejects.toMatchObject({ name: 'VaultError' });
      expect(count()).toBe(before);
    });

    test('the keychain is never all that opens a vault', async () => {
      await using folder = await TestFolder.make();
      await expect(createVault({ directory: folder.join('alone'), secret: KEYCHAIN })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
      const { directory, keyfile } = await makeVault(folder);
      await using vault = await openVault({ directory, secret: keyfile });
      const [, recovery, file] = vault.slots();
      await vault.removeSlot(recovery?.id ?? '');
      await expect(vault.removeSlot(file?.id ?? '')).rejects.toMatchObject({ code: 'LAST_SLOT' });
    });
  },
);

describe.skipIf(missingForKeyring.length > 0)(
  'where nobody answers the question of a locked keychain',
  () => {
    /** Who waited for it was killed. */
    async function lockAnew(keyring: TestKeyring): Promise<void> {
      await keyring.restartDaemon();
      keyring.lock();
    }

    test('waiting ends when it was said to end, and on request', async () => {
      await using folder = await TestFolder.make();
      await using keyring = await TestKeyring.start({ isSilent: true });
      const { directory } = await makeVault(folder);
      keyring.lock();
      const cancelled = new AbortController();
      const opening = openVault({ directory, secret: KEYCHAIN, signal: cancelled.signal });
      const aborted = expect(opening).rejects.toMatchObject({ code: 'ABORTED' });
      await expect.poll(() => keyring.hasAsked).toBe(true);
      cancelled.abort(new Error('enough'));
      await aborted;
      await lockAnew(keyring);
      await expect(openVault({ directory, secret: KEYCHAIN, keychainTimeoutMs: 300 })).rejects.toMatchObject({
        code: 'KEYCHAIN_LOCKED',
        message: expect.stringContaining('nobody answered') as string,
      });
    });

    test('nobody is asked when nobody is to be: not for a key slot, and never for the evidence of rollbacks', async () => {
      await using folder = await TestFolder.make();
      await using keyring = await TestKeyring.start({ isSilent: true });
      const { directory, keyfile, slotId } = await makeVault(folder);
      // An unlocked one opens, also with no time to unlock it.
      await (await openVault({ directory, secret: KEYCHAIN, keychainTimeoutMs: 0 })).close();
      keyring.lock();
      await expect(openVault({ directory, secret: KEYCHAIN, keychainTimeoutMs: 0 })).rejects.toMatchObject({
        code: 'KEYCHAIN_LOCKED',
        message: expect.stringContaining('nobody is asked') as string,
      });
      await using vault = await openVault({ directory, secret: keyfile });
      expect(vault.status().rollback).toBe('unknown');
      const quiet = { keychainTimeoutMs: 0 };
      await expect(vault.verifySecret(KEYCHAIN, quiet)).rejects.toMatchObject({ code: 'KEYCHAIN_LOCKED' });
      await expect(vault.addSlot(KEYCHAIN, quiet)).rejects.toMatchObject({ code: 'KEYCHAIN_LOCKED' });
      const { warnings } = await vault.removeSlot(slotId, quiet);
      expect(warnings).toEqual([expect.stringContaining('stays in the keychain') as string]);
      await vault.close();
      expect(keyring.hasAsked).toBe(false);
    });

    test('verifying with the keychain, and removing its slot, end when they were said to end, and on request', async () => {
      await using folder = await TestFolder.make();
      await using keyring = await TestKeyring.start({ isSilent: true });
      const { directory, keyfile, slotId } = await makeVault(folder);
      keyring.lock();
      await using vault = await openVault({ directory, secret: keyfile });
      await expect(vault.verifySecret(KEYCHAIN, { keychainTimeoutMs: 300 })).rejects.toMatchObject({
        code: 'KEYCHAIN_LOCKED',
        message: expect.stringContaining('nobody answered') as string,
      });
      await lockAnew(keyring);
      const signal = AbortSignal.timeout(200);
      await expect(vault.verifySecret(KEYCHAIN, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
      await lockAnew(keyring);
      const { warnings } = await vault.removeSlot(slotId, { keychainTimeoutMs: 300 });
      expect(warnings).toEqual([expect.stringContaining('nobody answered') as string]);
    });
  },
);

describe.skipIf(missingForKeyring.length > 0)('in a session without a keychain', () => {
  test('no vault is made, and no slot is added', async () => {
    await using folder = await TestFolder.make();
    await using keyring = await TestKeyring.start({ daemon: false });
    const keyfile: SlotSecret = { kind: 'keyfile', path: folder.join('key') };
    await createKeyfile(folder.join('key'));
    const recoveryCode = createRecoveryCode();
    await expect(
      createVault({ directory: folder.join('a'), secret: KEYCHAIN, recoveryCode }),
    ).rejects.toMatchObject({ code: 'KEYCHAIN_UNAVAILABLE' });
    await using vault = await createVault({ directory: folder.join('b'), secret: keyfile });
    await expect(vault.addSlot(KEYCHAIN)).rejects.toMatchObject({ code: 'KEYCHAIN_UNAVAILABLE' });
    expect(vault.slots()).toHaveLength(1);
    expect(keyring.itemCount()).toBe(0);
  });
});
