import { applyBackup } from '@coffer/storage';
import { acquireOwnerLock } from '@coffer/database';
import { existsSync, lstatSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stageFile, syncFolder } from '../durable-file.ts';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultPaths } from '../paths.ts';
import { readBoundedFile } from '../read-bounded-file.ts';
import { toVaultError } from '../to-vault-error.ts';
import { MAX_FILE_SIZE_BYTES } from '../vault-file/content.ts';
import { parseVaultFile } from '../vault-file/parse.ts';
import { BACKUP_MARKER, MAX_MARKER_SIZE_BYTES, parseBackupMarker } from './marker.ts';

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

/**
 * Finishes a backup that a crash cut short after its moment. The caller holds the folder's lock. Does nothing otherwise. What is damaged in
 * `backup.commit/` is found before anything is changed, but for the database and sealed files, which nothing but their key can tell of.
 */
export async function finishCommit(destination: string): Promise<void> {
  const commit = join(destination, COMMIT);
  if (!existsSync(commit)) return;
  if (!lstatSync(commit).isDirectory()) {
    throw new VaultError('DAMAGED', `${commit} is not a folder: it was replaced by something else`, {
      hint: 'move away what is there',
    });
  }
  const paths = vaultPaths(destination);
  try {
    const vaultFile = await findBytes(join(commit, 'vault.json'), MAX_FILE_SIZE_BYTES, parseVaultFile);
    const marker = await findBytes(join(commit, BACKUP_MARKER), MAX_MARKER_SIZE_BYTES, parseBackupMarker);
    await applyBackup(commit, destination);
    // As in a new vault, `vault.json` comes after its copy: it is what makes the folder one.
    for (const path of [paths.vaultFileCopy, paths.vaultFile]) await replace(path, vaultFile);
    await replace(join(destination, BACKUP_MARKER), marker);
    await syncFolder(destination);
    await rm(commit, { recursive: true });
    await syncFolder(destination);
  } catch (error) {
    const failure = errnoToVaultError(toVaultError(error), `cannot finish the backup in ${destination}`);
    throw failure.code === 'DAMAGED' ? withHint(failure, commit) : failure;
  }
}

function withHint({ code, message, cause }: VaultError, commit: string): VaultError {
  // Until the new database has taken its place, nothing that the one before needs is gone.
  const isBefore = existsSync(join(commit, 'data.db'));
  const hint = `back up to another folder${isBefore ? `; without ${commit} this one has the backup before` : ''}`;
  return new VaultError(code, message, { cause, hint });
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
    const advice =
      code === 'NOT_PERMITTED' ? 'copy the folder to a disk that can be written, and use that' : hint;
    throw new VaultError(code, `the backup in ${paths.directory} has to be finished first: ${message}`, {
      cause: error,
      ...(advice === undefined ? {} : { hint: advice }),
    });
  }
}

/** What is in a file, if it is what it should be; `undefined` when it is gone: then it has taken its place before. */
async function findBytes(
  path: string,
  maxSizeBytes: number,
  parse: (bytes: Uint8Array, path: string) => unknown,
): Promise<Uint8Array | undefined> {
  let bytes;
  try {
    ({ bytes } = await readBoundedFile(path, maxSizeBytes, { noFollow: true }));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    // Too large, or no regular file.
    if (error instanceof VaultError)
      throw new VaultError('DAMAGED', `${path} is damaged: ${error.message}`, { cause: error });
    throw errnoToVaultError(error, `cannot read ${path}`);
  }
  parse(bytes, path);
  return bytes;
}

async function replace(path: string, bytes: Uint8Array | undefined): Promise<void> {
  if (bytes === undefined) return;
  await using staged = await stageFile(path, bytes);
  await staged.commit();
}
