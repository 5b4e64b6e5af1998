import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createRecoveryCode,
  createVault,
  forgetKeychainVault,
  listKeychainVaults,
  openVault,
} from '../../src/index.ts';
import { DBusReader } from '../../src/keychain/d-bus-reader.ts';
import { Keychain } from '../../src/keychain/keychain.ts';
import { TestFolder } from '../support.ts';
import { AGAIN_WHEN_IT_CRASHES, TestKeyring, missingForKeyring } from './test-keyring.ts';

/** A vault that opens with the keychain, closed. */
async function makeVault(directory: string) {
  const code = createRecoveryCode();
  const vault = await createVault({ directory, secret: { kind: 'keychain' }, recoveryCode: code });
  const [slot] = vault.slots();
  const { vaultId } = vault;
  await vault.close();
  return { directory, vaultId, slotId: slot?.id ?? '', recovery: { kind: 'recovery', code } as const };
}

describe.skipIf(missingForKeyring.length > 0)(
  `with a real gnome-keyring (missing: ${missingForKeyring.join(', ') || 'nothing'})`,
  AGAIN_WHEN_IT_CRASHES,
  () => {
    let keyring: TestKeyring;
    beforeAll(async () => {
      keyring = await TestKeyring.start({ isSilent: true });
    });
    beforeEach(async () => {
      await keyring.startDaemon();
      using keychain = new Keychain();
      for (const account of keyring.accounts()) await keychain.remove(account);
    });
    afterAll(async () => {
      await keyring[Symbol.asyncDispose]();
    });

    test('a keychain without items has nothing of any vault', async () => {
      expect(await listKeychainVaults()).toEqual([]);
    });

    test('vaults are listed by their ids, also when their folder is gone, and items of others are not', async () => {
      await using folder = await TestFolder.make();
      const gone = await makeVault(folder.join('gone'));
      const there = await makeVault(folder.join('there'));
      await rm(gone.directory, { recursive: true });
      using keychain = new Keychain();
      await keychain.set('vault/of somebody else', new Uint8Array(3));
      await keychain.set('probe/0a', new Uint8Array(3));
      const about = ({ vaultId, slotId }: typeof gone) => ({ vaultId, slotIds: [slotId], evidenceCount: 1 });
      const listed = await listKeychainVaults();
      expect(listed).toHaveLength(2);
      expect(listed).toEqual(expect.arrayContaining([about(gone), about(there)]));
    });

    test('forgetting a vault removes all items of it and no other, and it opens with what else it has', async () => {
      await using folder = await TestFolder.make();
      const { directory, vaultId, slotId, recovery } = await makeVault(folder.join('one'));
      const other = await makeVault(folder.join('two'));
      const before = keyring.accounts().filter((account) => account.includes(other.vaultId));
      expect(await forgetKeychainVault(vaultId)).toEqual({ vaultId, slotIds: [slotId], evidenceCount: 1 });
      expect(keyring.accounts().toSorted()).toEqual(before.toSorted());
      await expect(openVault({ directory, secret: { kind: 'keychain' } })).rejects.toMatchObject({
        code: 'KEYCHAIN_ITEM_MISSING',
      });
      await (await openVault({ directory, secret: recovery })).close();
      await (await openVault({ directory: other.directory, secret: { kind: 'keychain' } })).close();
    });

    test('a vault that it has nothing of is not found', async () => {
      await expect(forgetKeychainVault('0'.repeat(32))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('a locked keychain is said to be locked, nobody is asked, and nothing is forgotten', async () => {
      await using folder = await TestFolder.make();
      const { vaultId } = await makeVault(folder.join('vault'));
      keyring.lock();
      await expect(listKeychainVaults()).rejects.toMatchObject({ code: 'KEYCHAIN_LOCKED' });
      await expect(forgetKeychainVault(vaultId)).rejects.toMatchObject({ code: 'KEYCHAIN_LOCKED' });
      expect(keyring.hasAsked).toBe(false);
      await keyring.startDaemon();
      expect(await listKeychainVaults()).toMatchObject([{ vaultId }]);
    });

    test('a keychain with many items is listed whole', async () => {
      using keychain = new Keychain();
      const vaultId = 'a'.repeat(32);
      const slotIds = Array.from({ length: 200 }, (_, index) => index.toString(16).padStart(8, '0'));
      for (const slotId of slotIds) await keychain.set(`vault/${vaultId}/slot/${slotId}`, new Uint8Array(32));
      expect(await listKeychainVaults()).toEqual([{ vaultId, slotIds, evidenceCount: 0 }]);
    });
  },
);

test.skipIf(missingForKeyring.length > 0)('a session without a keychain has none to list', async () => {
  await using keyring = await TestKeyring.start({ daemon: false });
  expect(keyring.env).toHaveProperty('DBUS_SESSION_BUS_ADDRESS');
  await expect(listKeychainVaults()).rejects.toMatchObject({ code: 'KEYCHAIN_UNAVAILABLE' });
});

describe('a message of the bus', () => {
  test('that is cut off anywhere is refused, and never read beyond its end', () => {
    // Two paths.
    const body = Buffer.from('13000000020000002f610000060000002f626262626200', 'hex');
    expect(new DBusReader(body).paths()).toEqual(['/a', '/bbbbb']);
    for (let size = 0; size < body.length; size += 1)
      expect(() => new DBusReader(body.subarray(0, size)).paths()).toThrow(RangeError);
  });

  test('with a value of another type is refused', () => {
    expect(() => new DBusReader(Buffer.from('0162000001000000', 'hex')).textsByName()).toThrow(RangeError);
  });

  test('that announces more than there is is refused', () => {
    expect(() => new DBusReader(Buffer.from('ffffffff', 'hex')).paths()).toThrow(RangeError);
    expect(() => new DBusReader(Buffer.from('10000000ffffffff', 'hex')).paths()).toThrow(RangeError);
  });
});
