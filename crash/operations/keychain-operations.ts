import { rm } from 'node:fs/promises';
import { createVault } from '../../packages/vault/src/index.ts';
import type { SlotSecret, Vault } from '../../packages/vault/src/index.ts';
import { whyNoKeychain } from '../keyring.ts';
import type { Stage } from '../stage.ts';
import type { Operation } from './operation.ts';

const KEYCHAIN: SlotSecret = { kind: 'keychain' };

/**
 * A vault of each run's own: what a keychain remembers of a vault it would hold against every copy of it. That the key file opens it is what every operation
 * promises.
 */
const MADE_HERE = { startsWith: {}, usesKeychain: true, makesVault: { acknowledgedBy: 'made' } } as const;

async function emptyStage(stage: Stage): Promise<void> {
  await rm(stage.vault, { recursive: true });
}

async function makeVault(stage: Stage, say: (word: string) => void): Promise<Vault> {
  const vault = await createVault({ directory: stage.vault, secret: stage.secret('owner') });
  say('made');
  return vault;
}

/** A slot of `vault.json` opens, whatever was interrupted: the item in the keychain comes before it, and goes after it. How many there are. */
async function openingSlots(vault: Vault): Promise<number> {
  const slots = (await Promise.resolve(vault.slots())).filter(({ kind }) => kind === 'keychain');
  for (const { id } of slots) {
    const opened = await vault.verifySecret(KEYCHAIN);
    if (opened.id !== id) throw new Error(`the keychain opens slot ${opened.id} instead of ${id}`);
  }
  return slots.length;
}

const addKeychain: Operation = {
  ...MADE_HERE,
  prepare: emptyStage,
  runBare: async (stage, say) => {
    await using vault = await makeVault(stage, say);
    await vault.addSlot(KEYCHAIN);
    say('added');
  },
  inspect: async (_stage, said, vault) => {
    const count = await openingSlots(vault);
    if (said.has('added') && count !== 1) throw new Error('the slot was acknowledged and is not there');
  },
};

const removeKeychain: Operation = {
  ...MADE_HERE,
  prepare: emptyStage,
  runBare: async (stage, say) => {
    await using vault = await makeVault(stage, say);
    const { id } = await vault.addSlot(KEYCHAIN);
    await vault.removeSlot(id);
    say('removed');
  },
  inspect: async (_stage, said, vault) => {
    const count = await openingSlots(vault);
    if (said.has('removed') && count !== 0) throw new Error('the slot was removed and is still there');
  },
};

export const KEYCHAIN_OPERATIONS: Readonly<Record<string, Operation>> =
  whyNoKeychain === undefined ? { 'key-add-keychain': addKeychain, 'key-rm-keychain': removeKeychain } : {};
