import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { vaultPaths } from '../../packages/vault/src/index.ts';
import type { Stage } from '../stage.ts';
import { FILLED, added, everyEvent, victim } from './filled-vault.ts';
import { openStage } from './open-stage.ts';
import type { Files, Operation } from './operation.ts';

export const WITHOUT_VICTIM: Files = Object.fromEntries(
  Object.entries(FILLED).filter(([path]) => path !== victim('sealed')),
);

/** A sealed file is in quarantine, as if an older database without it had been put back. */
export async function quarantineVictim(stage: Stage): Promise<void> {
  const { files, quarantine } = vaultPaths(stage.vault);
  await using vault = await openStage(stage);
  const resolved = await Promise.resolve(vault.resolve(victim('sealed')));
  if (resolved.kind !== 'file') throw new Error('the file to be quarantined is a folder');
  const name = `${resolved.file.id}.enc`;
  mkdirSync(quarantine, { mode: 0o700 });
  // Removing it shreds what is there.
  copyFileSync(join(files, name), join(quarantine, `${name}.kept`));
  await everyEvent(vault.removePaths([victim('sealed')]));
  renameSync(join(quarantine, `${name}.kept`), join(quarantine, name));
}

export function quarantined(stage: Stage): readonly string[] {
  const { quarantine } = vaultPaths(stage.vault);
  return existsSync(quarantine) ? readdirSync(quarantine) : [];
}

const adopt: Operation = {
  startsWith: WITHOUT_VICTIM,
  mayLeave: ['quarantine'],
  prepare: quarantineVictim,
  changes: { adopted: { adds: { [added('adopted')]: 'sealed' } } },
  run: async (vault, _stage, say) => {
    const [{ name } = { name: '' }] = await vault.quarantine();
    const place = { folder: 'added', name: added('adopted').slice('added/'.length) };
    await everyEvent(vault.adopt([name], place), () => {
      say('adopted');
    });
  },
  inspect: async (stage, _said, vault) => {
    const { files } = await Promise.resolve(vault.list({ folder: 'added' }));
    const isAdopted = files.some(({ path }) => path === added('adopted'));
    const left = quarantined(stage);
    if (isAdopted ? left.length > 0 : left.length !== 1)
      throw new Error(
        `quarantine/ has ${left.join(', ') || 'nothing'}, and the file is ${isAdopted ? '' : 'not '}adopted`,
      );
  },
};

const drop: Operation = {
  startsWith: WITHOUT_VICTIM,
  mayLeave: ['quarantine'],
  prepare: quarantineVictim,
  run: async (vault, _stage, say) => {
    // Asked of the vault, not of the disk: that a call of ours fails is no failure of the vault's.
    const names = (await vault.quarantine()).map(({ name }) => name);
    await everyEvent(vault.dropQuarantined(names), () => {
      say('dropped');
    });
  },
  inspect: (stage, said) => {
    if (said.has('dropped') && quarantined(stage).length > 0) throw new Error('dropped, and still there');
  },
};

export const QUARANTINE_OPERATIONS: Readonly<Record<string, Operation>> = {
  'quarantine-adopt': adopt,
  'quarantine-drop': drop,
};
