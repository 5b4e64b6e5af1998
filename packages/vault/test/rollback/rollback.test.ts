import { chmodSync, cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createKeyfile, createRecoveryCode, createVault, openVault } from '../../src/index.ts';
import type { Finding, SlotSecret, Vault } from '../../src/index.ts';
import { Keychain } from '../../src/keychain/keychain.ts';
import { parseEvidence } from '../../src/rollback/evidence.ts';
import { TestFolder } from '../support.ts';
import { AGAIN_WHEN_IT_CRASHES, TestKeyring, missingForKeyring } from '../keychain/test-keyring.ts';
import { all, stream } from '../vault/test-vault.ts';

const KEYCHAIN: SlotSecret = { kind: 'keychain' };

/** A vault that opens with the keychain and with a key file, and copies of its folder. */
class CopiedVault {
  readonly folder: TestFolder;
  readonly directory: string;
  readonly keyfile: SlotSecret;
  /** How often. */
  opened = 0;

  private constructor(folder: TestFolder) {
    this.folder = folder;
    this.directory = folder.join('vault');
    this.keyfile = { kind: 'keyfile', path: folder.join('key') };
  }

  static async create(folder: TestFolder, options: { keychain: boolean }): Promise<CopiedVault> {
    const made = new CopiedVault(folder);
    await createKeyfile(folder.join('key'));
    await using vault = await createVault({
      directory: made.directory,
      secret: made.keyfile,
      recoveryCode: createRecoveryCode(),
    });
    if (options.keychain) await vault.addSlot(KEYCHAIN);
    return made;
  }

  open(secret: SlotSecret = this.keyfile): Promise<Vault> {
    this.opened += 1;
    return openVault({ directory: this.directory, secret });
  }

  /** Opens the vault, works on it, and closes it. */
  async use<T>(work: (vault: Vault) => T | Promise<T>): Promise<T> {
    await using vault = await this.open();
    return await work(vault);
  }

  add(name: string): Promise<unknown> {
    return this.use((vault) => vault.addStream(stream(name), { name }));
  }

  keep(name: string): void {
    cpSync(this.directory, this.folder.join(name), { recursive: true });
  }

  putBack(name: string): void {
    rmSync(this.directory, { recursive: true });
    cpSync(this.folder.join(name), this.directory, { recursive: true });
    chmodSync(this.directory, 0o700);
  }
}

async function garble(keychain: Keychain, name: string): Promise<void> {
  await keychain.set(name, new TextEncoder().encode('no evidence'));
}

async function findings(vault: Vault): Promise<Finding[]> {
  const events = await all(vault.check({ mode: 'quick' }));
  const found = events.flatMap((event) => (event.type === 'finding' ? [event.finding] : []));
  return found.filter(({ code }) => code === 'ROLLED_BACK');
}

describe.skipIf(missingForKeyring.length > 0)(
  `rollback evidence in a real gnome-keyring (missing: ${missingForKeyring.join(', ') || 'nothing'})`,
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

    test('an older copy opens for reading, says so, and is not changed', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await copied.add('first');
      copied.keep('old');
      await copied.add('second');
      copied.keep('new');
      copied.putBack('old');
      await copied.use(async (vault) => {
        expect(vault.warnings[0]).toMatch(/older copy .* put back.*accept-rollback/);
        expect(vault.status().rollback).toBe('behind');
        expect(vault.list().files.map(({ name }) => name)).toEqual(['first']);
        expect(await findings(vault)).toMatchObject([
          {
            code: 'ROLLED_BACK',
            subject: 'database',
            item: `${copied.directory}/data.db`,
            cost: expect.stringContaining('is missing') as string,
          },
        ]);
        const refused = { code: 'ROLLED_BACK', name: 'VaultError' };
        await expect(vault.addStream(stream('x'), { name: 'x' })).rejects.toMatchObject(refused);
        expect(() => vault.move('first', 'moved')).toThrow(expect.objectContaining(refused));
        expect(() => vault.tag('first', { add: ['x'] })).toThrow(expect.objectContaining(refused));
        expect(() => vault.removePaths(['first'])).toThrow(expect.objectContaining(refused));
        await expect(vault.removeSlot('0')).rejects.toMatchObject(refused);
      });
      // Whatever secret opens it, and however often.
      await using again = await copied.open(KEYCHAIN);
      expect(again.status().rollback).toBe('behind');
      await again.close();
      copied.putBack('new');
      await copied.use((vault) => {
        expect([vault.warnings, vault.status().rollback]).toEqual([[], 'kept']);
      });
    });

    test('an older copy that is accepted goes its own way, and stays one to those who put it back again', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      copied.keep('old');
      await copied.add('lost');
      copied.keep('new');
      copied.putBack('old');
      await copied.use(async (vault) => {
        await vault.acceptRollback();
        expect(vault.status().rollback).toBe('kept');
        await vault.addStream(stream('x'), { name: 'x' });
        await expect(vault.acceptRollback()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      });
      copied.keep('accepted');
      await copied.add('y');
      for (const [name, state] of [
        ['old', 'behind'],
        ['accepted', 'behind'],
        ['new', 'kept'],
      ] as const) {
        copied.putBack(name);
        expect(await copied.use((vault) => vault.status().rollback)).toBe(state);
      }
    });

    test('a vault.json that was put back with a removed slot is noticed', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await copied.add('first');
      for (const name of ['vault.json', 'vault.json.bak'])
        cpSync(`${copied.directory}/${name}`, folder.join(name));
      await copied.use(async (vault) => {
        await vault.replaceRecoveryCode(createRecoveryCode());
      });
      for (const name of ['vault.json', 'vault.json.bak'])
        cpSync(folder.join(name), `${copied.directory}/${name}`);
      await copied.use(async (vault) => {
        expect(vault.warnings[0]).toContain('its key slots are of change');
        expect(await findings(vault)).toMatchObject([
          {
            code: 'ROLLED_BACK',
            subject: 'slots',
            item: `${copied.directory}/vault.json`,
            cost: expect.stringContaining('opens the vault again') as string,
          },
        ]);
      });
    });

    test('two older vault.json that differ are not made a newer one by repairing them', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      const { directory } = copied;
      cpSync(`${directory}/vault.json`, folder.join('oldest'));
      await copied.use((vault) => vault.replaceRecoveryCode(createRecoveryCode()));
      cpSync(`${directory}/vault.json`, folder.join('older'));
      await copied.use((vault) => vault.replaceRecoveryCode(createRecoveryCode()));
      cpSync(folder.join('older'), `${directory}/vault.json`);
      cpSync(folder.join('oldest'), `${directory}/vault.json.bak`);
      for (let opening = 0; opening < 2; opening += 1)
        expect(await copied.use((vault) => vault.status().rollback)).toBe('behind');
    });

    test('what is changed where no keychain answers does not hide that the copy is older', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await copied.add('first');
      copied.keep('old');
      await copied.add('second');
      copied.putBack('old');
      await keyring.stopDaemon();
      for (const name of ['a', 'b', 'c', 'd']) await copied.add(name);
      expect(await copied.use((vault) => vault.status().rollback)).toBe('unknown');
      await keyring.startDaemon();
      expect(await copied.use((vault) => vault.status().rollback)).toBe('behind');
    });

    test('a vault that was used where no keychain answers is not behind for it', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await keyring.stopDaemon();
      for (const name of ['a', 'b']) await copied.add(name);
      await keyring.startDaemon();
      expect(await copied.use((vault) => vault.status().rollback)).toBe('kept');
      await copied.add('c');
      expect(await copied.use((vault) => vault.status().rollback)).toBe('kept');
    });

    test('a keychain that was reset begins anew with a new slot, and the vault is not behind for it', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await copied.add('first');
      await clearKeychain('vault/');
      expect(await copied.use((vault) => vault.status().rollback)).toBe('none');
      await copied.use((vault) => vault.addSlot(KEYCHAIN));
      await expectKept(copied);
    });

    test('evidence that was deleted, or can not be read, is made anew, and the vault is not behind for it', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      for (const spoil of [(keychain: Keychain, name: string) => keychain.remove(name), garble]) {
        await copied.add('x'.repeat(1 + copied.opened));
        using keychain = new Keychain();
        for (const name of keyring.accounts().filter((each) => each.includes('/evidence/')))
          await spoil(keychain, name);
        await expectKept(copied);
      }
    });

    test('new evidence that could not be written is written the next time, and notices an older copy then', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await clearKeychain('/evidence/');
      await copied.use(async (vault) => {
        await vault.addStream(stream('first'), { name: 'first' });
        // Closing writes to it.
        keyring.lock();
      });
      await keyring.startDaemon();
      await copied.add('second');
      copied.keep('old');
      await copied.add('third');
      await expectKept(copied);
      copied.putBack('old');
      expect(await copied.use((vault) => vault.status().rollback)).toBe('behind');
    });

    test('a kill before new evidence is written, or between its two steps, is no rollback', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      using keychain = new Keychain();
      const name = await copied.use(evidenceAccount);
      const first = (await keychain.get(name)) ?? new Uint8Array();
      await clearKeychain('/evidence/');
      await copied.use(async (vault) => {
        await vault.addStream(stream('x'), { name: 'x' });
        // As a kill leaves it: these changes are marked as ones that no keychain was held against.
        copied.keep('killed');
      });
      const last = parseEvidence((await keychain.get(name)) ?? new Uint8Array());
      expect(last?.commits).toBeGreaterThan(parseEvidence(first)?.commits ?? Infinity);
      await keychain.remove(name);
      copied.putBack('killed');
      await expectKept(copied);
      // The first step claims what was there before the mark, which is what the evidence was that is gone.
      await keychain.set(name, first);
      copied.putBack('killed');
      await expectKept(copied);
    });

    test('a crash, which the keychain did not hear of, is no rollback', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      await using vault = await copied.open();
      await vault.addStream(stream('x'), { name: 'x' });
      cpSync(copied.directory, folder.join('crashed'), { recursive: true });
      // The keychain still has what it had at the opening.
      await using after = await openVault({ directory: folder.join('crashed'), secret: copied.keyfile });
      expect([after.list().files.length, after.status().rollback]).toEqual([1, 'kept']);
    });

    test('the keychain follows within a minute while the vault is open', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: true });
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      try {
        await using vault = await copied.open();
        copied.keep('open');
        const before = await evidence(vault);
        await vault.addStream(stream('x'), { name: 'x' });
        expect(await evidence(vault)).toBe(before);
        vi.advanceTimersByTime(60_000);
        await expect.poll(() => evidence(vault)).not.toBe(before);
      } finally {
        vi.useRealTimers();
      }
    });

    test.each([
      ['is kept', 'new', 'kept'],
      ['that is older is noticed', 'old', 'behind'],
    ] as const)(
      'a copy that %s once a keychain answers that did not at the opening',
      async (_, copy, state) => {
        await using folder = await TestFolder.make();
        const copied = await CopiedVault.create(folder, { keychain: true });
        await copied.add('first');
        copied.keep('old');
        await copied.add('second');
        copied.keep('new');
        copied.putBack(copy);
        await keyring.stopDaemon();
        vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
        try {
          await using vault = await copied.open();
          expect(vault.status().rollback).toBe('unknown');
          await vault.addStream(stream('x'), { name: 'x' });
          await keyring.startDaemon();
          vi.advanceTimersByTime(60_000);
          await expect.poll(() => vault.status().rollback).toBe(state);
          const adding = vault.addStream(stream('y'), { name: 'y' });
          if (state === 'behind') await expect(adding).rejects.toMatchObject({ code: 'ROLLED_BACK' });
          else await adding;
        } finally {
          vi.useRealTimers();
        }
        expect(await copied.use((vault) => vault.status().rollback)).toBe(state);
      },
    );

    test('without a keychain slot nothing is kept, and with the last one it goes', async () => {
      await using folder = await TestFolder.make();
      const copied = await CopiedVault.create(folder, { keychain: false });
      copied.keep('old');
      await copied.add('first');
      copied.putBack('old');
      expect(await copied.use((vault) => vault.status().rollback)).toBe('none');
      const vaultId = await copied.use((vault) => vault.vaultId);
      const items = (): number => keyring.accounts().filter((name) => name.includes(vaultId)).length;
      expect(items()).toBe(0);
      const slot = await copied.use((vault) => vault.addSlot(KEYCHAIN));
      expect(items()).toBe(2);
      await copied.use((vault) => vault.removeSlot(slot.id));
      expect(items()).toBe(0);
    });

    /** Opens it several times, the last ones after everything was written that an opening or a closing writes. */
    async function expectKept(copied: CopiedVault): Promise<void> {
      await copied.use(() => undefined);
      for (let opening = 0; opening < 2; opening += 1)
        expect(await copied.use((vault) => [vault.warnings, vault.status().rollback])).toEqual([[], 'kept']);
      await copied.add(`kept ${String(copied.opened)}`);
      expect(await copied.use((vault) => vault.status().rollback)).toBe('kept');
    }

    async function clearKeychain(part: string): Promise<void> {
      using keychain = new Keychain();
      const names = keyring.accounts().filter((name) => name.includes(part));
      expect(names).not.toEqual([]);
      for (const name of names) await keychain.remove(name);
    }

    async function evidence(vault: Vault): Promise<string> {
      using keychain = new Keychain();
      return Buffer.from((await keychain.get(evidenceAccount(vault))) ?? []).toString();
    }

    /** The keychain also holds what vaults of other tests left there. */
    function evidenceAccount({ vaultId }: Vault): string {
      const [name] = keyring.accounts().filter((each) => each.startsWith(`vault/${vaultId}/evidence/`));
      if (name === undefined) throw new Error('the keychain has no evidence of this vault');
      return name;
    }
  },
);
