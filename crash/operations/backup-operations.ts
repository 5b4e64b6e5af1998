import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VaultError, openVault, restoreVault } from '../../packages/vault/src/index.ts';
import type { Vault } from '../../packages/vault/src/index.ts';
import { contentOf } from '../contents.ts';
import type { Stage } from '../stage.ts';
import { FILLED, addAs, added, everyEvent, victim } from './filled-vault.ts';
import { openStage } from './open-stage.ts';
import type { Files, Operation } from './operation.ts';

const backupOf = (stage: Stage): string => join(stage.disk, 'backup');

async function backUp(vault: Vault, stage: Stage, verify = false): Promise<void> {
  await everyEvent(vault.backup(backupOf(stage), { verify }));
}

/** The vault as it is when the second backup is made. */
const CHANGED: Files = Object.fromEntries([
  ...Object.entries(FILLED).filter(([path]) => path !== victim('sealed') && path !== victim('small')),
  [added('sealed'), 'sealed'],
]);

/** A backup that opens is one of `possible`, whole; and the next backup makes it what the vault is. */
async function inspectBackup(
  stage: Stage,
  vault: Vault,
  said: ReadonlySet<string>,
  before: Files | undefined,
  after: Files,
): Promise<void> {
  const found = await filesOfBackup(stage);
  const possible = said.has('backed up') ? [after] : [before, after];
  if (!possible.some((files) => describe(files) === describe(found)))
    throw new Error(`the backup has ${describe(found)}`);
  await backUp(vault, stage);
  const { files } = await Promise.resolve(vault.list({ recursive: true, folder: '' }));
  const again = await filesOfBackup(stage);
  if (Object.keys(again ?? {}).length !== files.length)
    throw new Error(`the next backup has ${describe(again)}`);
  const left = readdirSync(backupOf(stage)).filter((name) =>
    /^backup\.(next|commit)$|\.(tmp|replaced)$/.test(name),
  );
  if (left.length > 0) throw new Error(`left in the backup: ${left.join(', ')}`);
}

/** What is in a backup, every file read and held against its content; `undefined` when there is none. */
async function filesOfBackup(stage: Stage): Promise<Files | undefined> {
  if (!existsSync(backupOf(stage))) return undefined;
  let backup: Vault;
  try {
    backup = await openVault({ directory: backupOf(stage), secret: stage.secret('owner') });
  } catch (error) {
    if (error instanceof VaultError && error.code === 'NO_VAULT') return undefined;
    throw error;
  }
  await using opened = backup;
  const [database, copy] = ['data.db', 'data.db.reserve'].map((name) =>
    readFileSync(join(backupOf(stage), name)),
  );
  if (copy === undefined || database?.subarray(0, 16).equals(copy) !== true)
    throw new Error('the copy of the salt in the backup is not of its database');
  const known: Files = { ...FILLED, ...CHANGED, [added('afterwards')]: 'small' };
  const files: Record<string, Files[string]> = {};
  for (const { path } of opened.list({ recursive: true, folder: '' }).files) {
    const content = known[path];
    const pieces: Uint8Array[] = [];
    for await (const piece of opened.read(path)) pieces.push(piece);
    if (content === undefined || !contentOf(content).equals(Buffer.concat(pieces)))
      throw new Error(`${path} in the backup is not what it was`);
    files[path] = content;
  }
  await everyEvent(opened.check({ mode: 'quick' }), (event) => {
    if (event.type === 'finding') throw new Error(`the backup: ${event.finding.message}`);
  });
  return files;
}

function describe(files: Files | undefined): string {
  return files === undefined ? 'nothing' : Object.keys(files).sort().join(', ');
}

const backup: Operation = {
  run: async (vault, stage, say) => {
    await backUp(vault, stage);
    say('backed up');
  },
  inspect: async (stage, said, vault) => {
    await inspectBackup(stage, vault, said, undefined, FILLED);
  },
};

/** Over a backup that is there: a file less of each kind, and one more. */
const backupAgain: Operation = {
  startsWith: CHANGED,
  prepare: async (stage) => {
    await using vault = await openStage(stage);
    await backUp(vault, stage);
    await everyEvent(vault.removePaths([victim('sealed'), victim('small')]));
    await addAs(vault, stage, added('sealed'), 'sealed');
  },
  run: async (vault, stage, say) => {
    await backUp(vault, stage);
    say('backed up');
  },
  inspect: async (stage, said, vault) => {
    await inspectBackup(stage, vault, said, FILLED, CHANGED);
  },
};

/** Reads back all that it has written. */
const backupVerified: Operation = {
  ...backup,
  run: async (vault, stage, say) => {
    await backUp(vault, stage, true);
    say('backed up');
  },
};

const restore: Operation = {
  makesVault: { acknowledgedBy: 'restored' },
  prepare: async (stage) => {
    {
      await using vault = await openStage(stage);
      await backUp(vault, stage);
    }
    rmSync(stage.vault, { recursive: true });
  },
  runBare: async (stage, say) => {
    const options = { source: backupOf(stage), directory: stage.vault, secret: stage.secret('owner') };
    await everyEvent(restoreVault(options));
    say('restored');
  },
};

/** Of a backup whose database has lost its first page, but for the salt: a new one is made of it. */
const restoreDamaged: Operation = {
  ...restore,
  prepare: async (stage) => {
    await restore.prepare?.(stage);
    const path = join(backupOf(stage), 'data.db');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0, 16, 4096));
  },
};

export const BACKUP_OPERATIONS: Readonly<Record<string, Operation>> = {
  backup,
  'backup-again': backupAgain,
  'backup-verify': backupVerified,
  restore,
  'restore-damaged': restoreDamaged,
};
