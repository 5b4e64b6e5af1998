import { copyFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { SecretKey } from '../../packages/crypto/src/index.ts';
import { createDatabase } from '../../packages/database/src/index.ts';
import { createVault, vaultPaths } from '../../packages/vault/src/index.ts';
import { PASSPHRASES, passphrase, recoveryCode } from '../stage.ts';
import type { Stage } from '../stage.ts';
import { openStage } from './open-stage.ts';
import type { Operation } from './operation.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const CHEAP = { memoryKiB: 19_456, passes: 2, parallelism: 1 };

const keyAdd: Operation = {
  secrets: { acknowledgedBy: 'added', before: ['owner'], after: ['owner', 'second'] },
  run: async (vault, stage, say) => {
    await vault.addSlot(stage.secret('second'), { label: 'second' });
    say('added');
  },
};

const keyRemove: Operation = {
  secrets: { acknowledgedBy: 'removed', before: ['owner', 'second'], after: ['owner'] },
  prepare: async (stage) => {
    await using vault = await openStage(stage);
    await vault.addSlot(stage.secret('second'), { label: 'second' });
  },
  run: async (vault, _stage, say) => {
    const slot = (await Promise.resolve(vault.slots())).find(({ label }) => label === 'second');
    if (slot === undefined) throw new Error('the second slot is not there');
    await vault.removeSlot(slot.id);
    say('removed');
  },
};

/** The passphrase is the only way in, so that every moment shows which one it is. */
const keyPasswd: Operation = {
  secrets: { acknowledgedBy: 'changed', before: ['old passphrase'], after: ['next passphrase'] },
  prepare: async (stage) => {
    await using vault = await openStage(stage);
    const [owner] = await Promise.resolve(vault.slots());
    await vault.addSlot(passphrase('old'), { argon2id: CHEAP });
    if (owner !== undefined) await vault.removeSlot(owner.id);
  },
  run: async (vault, _stage, say) => {
    await vault.changePassphrase({ current: bytesOf(PASSPHRASES.old), next: bytesOf(PASSPHRASES.next) });
    say('changed');
  },
};

/** As the passphrase above: the code is the only way in. */
const keyRecovery: Operation = {
  secrets: { acknowledgedBy: 'replaced', before: ['old code'], after: ['next code'] },
  prepare: async (stage) => {
    await using vault = await openStage(stage);
    const [owner] = await Promise.resolve(vault.slots());
    await vault.replaceRecoveryCode(recoveryCode('old'));
    if (owner !== undefined) await vault.removeSlot(owner.id);
  },
  run: async (vault, _stage, say) => {
    await vault.replaceRecoveryCode(recoveryCode('next'));
    say('replaced');
  },
};

/** Opening writes a damaged copy of the key slots again. */
const repairSlots: Operation = {
  prepare: (stage) => {
    truncateSync(vaultPaths(stage.vault).vaultFileCopy, 100);
    return Promise.resolve();
  },
  run: () => Promise.resolve(),
};

async function init(stage: Stage, say: (word: string) => void): Promise<void> {
  await using vault = await createVault({ directory: stage.vault, secret: stage.secret('owner') });
  say('made');
  await Promise.resolve(vault.vaultId);
}

const makeVault: Operation = {
  startsWith: {},
  makesVault: { acknowledgedBy: 'made' },
  prepare: (stage) => {
    rmSync(stage.vault, { recursive: true });
    return Promise.resolve();
  },
  runBare: init,
};

/** As the one before, where an earlier one was interrupted just before there was a vault. */
const makeVaultAgain: Operation = {
  startsWith: {},
  makesVault: { acknowledgedBy: 'made' },
  prepare: async (stage) => {
    const paths = vaultPaths(stage.vault);
    rmSync(join(stage.vault, 'files'), { recursive: true });
    rmSync(paths.database);
    using key = SecretKey.generate();
    createDatabase({ path: paths.database, key: key.exportBytes() }).close();
    copyFileSync(paths.vaultFile, `${paths.vaultFile}.tmp`);
    copyFileSync('/dev/null', join(stage.vault, 'init.unfinished'));
    rmSync(paths.vaultFile);
    await Promise.resolve();
  },
  runBare: init,
};

export const KEY_OPERATIONS: Readonly<Record<string, Operation>> = {
  'key-add': keyAdd,
  'key-rm': keyRemove,
  'key-passwd': keyPasswd,
  'key-recovery': keyRecovery,
  'repair-slots': repairSlots,
  init: makeVault,
  'init-again': makeVaultAgain,
};
