import { cpSync, readFileSync, rmSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { createVault, openVault } from '../../src/index.ts';
import type { SlotSecret, Vault } from '../../src/index.ts';
import { CHEAP, TestFolder, newKeyfile } from '../support.ts';
import { all, stream } from '../vault/test-vault.ts';

const COPIES = ['vault.json', 'vault.json.bak'] as const;
const OLDER = /older copy of the key slots, which no longer counts/;

/** A vault without any keychain, whose key slots are changed and put back. It opens with a key file and a passphrase. */
class ChangedSlots {
  readonly #folder: TestFolder;
  readonly directory: string;
  readonly keyfile: SlotSecret;

  private constructor(folder: TestFolder, keyfile: SlotSecret) {
    this.#folder = folder;
    this.directory = folder.join('vault');
    this.keyfile = keyfile;
  }

  static async create(): Promise<ChangedSlots> {
    const folder = await TestFolder.make();
    onTestFinished(() => folder[Symbol.asyncDispose]());
    const made = new ChangedSlots(folder, await newKeyfile(folder, 'key'));
    await using vault = await createVault({ directory: made.directory, secret: made.keyfile });
    await vault.addSlot(secret('first'), { argon2id: CHEAP });
    return made;
  }

  /** Opens the vault, works on it, and closes it. */
  async use<T>(opening: SlotSecret, work: (vault: Vault) => T | Promise<T>): Promise<T> {
    await using vault = await openVault({ directory: this.directory, secret: opening });
    return await work(vault);
  }

  async opens(opening: SlotSecret): Promise<boolean> {
    return this.use(opening, () => true).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'WRONG_KEY' });
      return false;
    });
  }

  bytes(): Buffer[] {
    return COPIES.map((name) => readFileSync(`${this.directory}/${name}`));
  }

  keep(name: string): void {
    cpSync(this.directory, this.#folder.join(name), { recursive: true });
  }

  putBack(name: string, files: readonly string[]): void {
    for (const file of files) cpSync(this.#folder.join(name, file), `${this.directory}/${file}`);
  }

  putBackAll(name: string): void {
    rmSync(this.directory, { recursive: true });
    cpSync(this.#folder.join(name), this.directory, { recursive: true });
  }
}

function secret(text: string): { kind: 'passphrase'; passphrase: Uint8Array } {
  return { kind: 'passphrase', passphrase: new TextEncoder().encode(text) };
}

async function changePassphrase(vault: Vault): Promise<void> {
  await vault.changePassphrase({ current: secret('first').passphrase, next: secret('second').passphrase });
}

async function removePassphrase(vault: Vault): Promise<void> {
  await vault.removeSlot(vault.slots().find(({ kind }) => kind === 'passphrase')?.id ?? '');
}

test.each([
  ['a passphrase that was changed', changePassphrase],
  ['a passphrase that was removed', removePassphrase],
])('%s opens nothing with one of the two copies from before put back', async (_name, change) => {
  const changed = await ChangedSlots.create();
  changed.keep('before');
  await changed.use(changed.keyfile, change);
  for (const file of COPIES) {
    changed.putBack('before', [file]);
    const found = changed.bytes();
    await expect(changed.use(secret('first'), () => true)).rejects.toMatchObject({
      code: 'WRONG_KEY',
      message: expect.stringMatching(OLDER) as string,
    });
    expect(changed.bytes()).toEqual(found);
    // Whoever has a secret that counts puts it right by opening the vault.
    expect(await changed.opens(changed.keyfile)).toBe(true);
    const [first, copy] = changed.bytes();
    expect(first).toEqual(copy);
    expect(await changed.opens(secret('first'))).toBe(false);
  }
  expect(await changed.opens(secret('second'))).toBe(change === changePassphrase);
});

test('a change that was interrupted before anybody was told of it opens with either secret', async () => {
  for (const opening of ['first', 'second']) {
    const changed = await ChangedSlots.create();
    // Such as an opening leaves it that only looked.
    await changed.use(changed.keyfile, () => undefined);
    changed.keep('before');
    await changed.use(changed.keyfile, changePassphrase);
    changed.keep('after');
    // As a kill between the two copies leaves it: the database has not heard of the change.
    changed.putBackAll('before');
    changed.putBack('after', ['vault.json']);
    expect(await changed.opens(secret(opening))).toBe(true);
    expect(await changed.opens(secret(opening === 'first' ? 'second' : 'first'))).toBe(false);
  }
});

test('a change that a kill ended after both copies were there is one that nothing undoes', async () => {
  const changed = await ChangedSlots.create();
  changed.keep('before');
  await changed.use(changed.keyfile, changePassphrase);
  changed.keep('after');
  changed.putBackAll('before');
  changed.putBack('after', COPIES);
  expect(await changed.opens(secret('second'))).toBe(true);
  changed.putBack('before', ['vault.json.bak']);
  expect(await changed.opens(secret('first'))).toBe(false);
});

test('nobody is advised to undo a change because the old passphrase opens nothing any more', async () => {
  const changed = await ChangedSlots.create();
  await changed.use(changed.keyfile, changePassphrase);
  await expect(changed.use(secret('first'), () => true)).rejects.toMatchObject({
    code: 'WRONG_KEY',
    hint: expect.not.stringMatching(/backup|put back/) as string,
  });
});

test('who puts a lost vault.json back from a backup as advised can go on as advised', async () => {
  const changed = await ChangedSlots.create();
  await changed.use(changed.keyfile, (vault) => all(vault.backup(`${changed.directory}-backup`)));
  await changed.use(changed.keyfile, changePassphrase);
  for (const name of COPIES) rmSync(`${changed.directory}/${name}`);
  const advice = /put back a copy of vault.json from a backup .*accept-rollback/;
  await expect(changed.use(changed.keyfile, () => true)).rejects.toMatchObject({
    code: 'DAMAGED',
    hint: expect.stringMatching(advice) as string,
  });
  cpSync(`${changed.directory}-backup/vault.json`, `${changed.directory}/vault.json`);
  await changed.use(secret('first'), (vault) => vault.acceptRollback());
  await changed.use(secret('first'), async (vault) => {
    await changePassphrase(vault);
  });
  await changed.use(secret('second'), (vault) => {
    expect(vault.warnings).toEqual([]);
  });
});

test('both copies from before are noticed without a keychain, and changes wait until they are accepted', async () => {
  const changed = await ChangedSlots.create();
  changed.keep('before');
  await changed.use(changed.keyfile, removePassphrase);
  changed.putBack('before', COPIES);
  await changed.use(changed.keyfile, async (vault) => {
    expect(vault.status().rollback).toBe('behind');
    expect(vault.warnings[0]).toMatch(/its key slots are of change 2, where 3 was seen.*accept-rollback/);
    const events = await all(vault.check({ mode: 'quick' }));
    expect(events).toContainEqual(
      expect.objectContaining({ finding: expect.objectContaining({ subject: 'slots' }) as unknown }),
    );
    const refused = { code: 'ROLLED_BACK' };
    await expect(vault.addStream(stream('x'), { name: 'x' })).rejects.toMatchObject(refused);
    await vault.acceptRollback();
    expect(vault.status().rollback).not.toBe('behind');
    await vault.addStream(stream('x'), { name: 'x' });
    await removePassphrase(vault);
  });
  await changed.use(changed.keyfile, (vault) => {
    expect([vault.warnings, vault.list().files.length]).toEqual([[], 1]);
  });
  expect(await changed.opens(secret('first'))).toBe(false);
});
