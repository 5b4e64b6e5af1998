import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { vaultPaths } from '../../packages/vault/src/index.ts';
import { everyEvent } from './filled-vault.ts';
import type { Operation } from './operation.ts';

const LEFTOVER = `${'d'.repeat(32)}.enc.tmp`;
const STRANGER = `${'e'.repeat(32)}.enc`;

const OURS: readonly string[] = [LEFTOVER, STRANGER];

/** `doctor --fix` finds what opening does not look for after a clean end: something that was not finished, and a sealed file that nobody knows. */
export const doctorFix: Operation = {
  mayLeave: ['quarantine'],
  prepare: async (stage) => {
    const { files } = vaultPaths(stage.vault);
    const [some = ''] = await Promise.resolve(readdirSync(files));
    for (const name of OURS) copyFileSync(join(files, some), join(files, name));
  },
  run: async (vault, _stage, say) => {
    await everyEvent(vault.doctor({ fix: true }), (event) => {
      const name = OURS.find((each) => event.finding.item.endsWith(each));
      if (event.type === 'fixed' && name !== undefined) say(name);
    });
  },
  inspect: async (stage, said, vault) => {
    const { files, quarantine } = vaultPaths(stage.vault);
    const left = readdirSync(files).filter((name) => said.has(name));
    if (left.length > 0) throw new Error(`fixed, and ${left.join(', ')} is there`);
    await everyEvent(vault.doctor({ fix: true }));
    const kept = readdirSync(quarantine);
    if (kept.join() !== STRANGER) throw new Error(`quarantine/ has ${kept.join(', ')}`);
  },
};
