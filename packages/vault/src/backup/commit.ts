import { applyBackup } from '@coffer/storage';
import { acquireOwnerLock } from '@coffer/database';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stageFile, syncFolder } from '../durable-file.ts';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultPaths } from '../paths.ts';
import { toVaultError } from '../to-vault-error.ts';
import { BACKUP_MARKER } from './marker.ts';

/*
 * How a backup takes the place of the one before. Everything new is brought together in `backup.next/` and made durable; renaming that folder to
 * `backup.commit/` is the one moment in which the new backup becomes the backup. What is in it is then moved to its places, which can be repeated as
 * often as it takes: by the next backup, or by whoever opens the folder. A crash before the renaming leaves the old backup untouched, one
 * after it the new one.
 */
const NEXT = 'backup.next';
const COMMIT = 'backup.commit';

/** Where the next backup is brought together. */
export function nextBackupPath(destination: string): string {
  return join(destination, NEXT);
}

/** From the first moment of this on, the folder has the new backup. The caller holds the folder's lock. */
export async function commitBackup(destination: string): Promise<void> {
  try {
    await syncFolder(nextBackupPath(destination));
    await rename(nextBackupPath(destination), join(destination, COMMIT));
    await syncFolder(destination);
  } catch (error) {
    throw errnoToVaultError(error, `cannot finish the backup in ${destination}`);
  }
  await finishCommit(destination);
}

/** Finishes a backup that a crash cut short after its moment. The caller holds the folder's lock. Does nothing otherwise. */
export async function finishCommit(destination: string): Promise<void> {
  const commit = join(destination, COMMIT);
  if (!existsSync(commit)) return;
  const paths = vaultPaths(destination);
  try {
    await applyBackup(commit, destination);
    // As in a new vault, `vault.json` comes after its copy: it is what makes the folder one.
    for (const path of [paths.vaultFileCopy, paths.vaultFile])
      await replaceFrom(join(commit, 'vault.json'), path);
    await replaceFrom(join(commit, BACKUP_MARKER), join(destination, BACKUP_MARKER));
    await syncFolder(destination);
    await rm(commit, { recursive: true });
    await syncFolder(destination);
  } catch (error) {
    throw errnoToVaultError(toVaultError(error), `cannot finish the backup in ${destination}`);
  }
}

/** As `finishCommit`, for one who is about to open the folder and does not hold its lock yet. */
export async function settleBackup(paths: VaultPaths): Promise<void> {
  if (!existsSync(join(paths.directory, COMMIT))) return;
  try {
    using lock = acquireOwnerLock(paths.ownerLock);
    await finishCommit(paths.directory);
    lock.release();
  } catch (error) {
    const { code, message, hint } = toVaultError(error);
    throw new VaultError(code, `the backup in ${paths.directory} has to be finished first: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** Nothing is replaced when `from` is gone: then it was replaced before. */
async function replaceFrom(from: string, to: string): Promise<void> {
  let bytes;
  try {
    bytes = await readFile(from);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  await using staged = await stageFile(to, bytes);
  await staged.commit();
}
