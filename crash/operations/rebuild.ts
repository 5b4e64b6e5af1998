import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
import { rebuildVault, vaultPaths } from '../../packages/vault/src/index.ts';
import type { Stage } from '../stage.ts';
import type { Operation } from './operation.ts';

const PAGE_SIZE_BYTES = 4096;

/** `doctor --rebuild` of a database that has lost its first page: until it is acknowledged the damaged one may be there, and then it is rebuilt when it is tried again. */
export const rebuild: Operation = {
  mayLeave: ['data.db.damaged'],
  mayWarnOf: /data\.db\.damaged is kept/,
  makesVault: { acknowledgedBy: 'rebuilt', isMade: isRebuilt },
  prepare: async (stage) => {
    const { database } = vaultPaths(stage.vault);
    const descriptor = await Promise.resolve(openSync(database, 'r+'));
    writeSync(descriptor, new Uint8Array(PAGE_SIZE_BYTES), 0, PAGE_SIZE_BYTES, 0);
    closeSync(descriptor);
  },
  runBare: async (stage, say) => {
    const { isRebuilt: isDone } = await rebuildVault({
      directory: stage.vault,
      secret: stage.secret('owner'),
    });
    if (isDone) say('rebuilt');
  },
  inspect: (stage) => {
    if (!existsSync(vaultPaths(stage.vault).keptDatabase))
      throw new Error('the damaged database is not kept');
  },
};

function isRebuilt(stage: Stage): boolean {
  const { database } = vaultPaths(stage.vault);
  // Complete: opening puts it in its place.
  if (existsSync(`${database}.rebuilt`)) return true;
  const page = new Uint8Array(PAGE_SIZE_BYTES);
  const descriptor = openSync(database, 'r');
  readSync(descriptor, page, 0, PAGE_SIZE_BYTES, 0);
  closeSync(descriptor);
  return page.some((byte) => byte !== 0);
}
