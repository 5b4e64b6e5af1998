import { DatabaseError, copyForReading as copyDatabase } from '@coffer/database';
import type { ReadingCopy } from '@coffer/database';
import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { findBackupMarker } from './backup/marker.ts';
import { VaultError, errnoOf } from './errors.ts';
import { vaultPaths } from './paths.ts';
import type { VaultPaths } from './paths.ts';
import { toVaultError } from './to-vault-error.ts';

/** Why nothing can be written to a vault: its disk is read-only, or this user may not. */
export type ReadOnlyReason = 'disk' | 'rights';

/** Why a vault can only be read; `undefined` when it can be changed, or is not there. Asks, and opens nothing. */
export function whyReadOnly({ directory, database }: VaultPaths): ReadOnlyReason | undefined {
  for (const path of [directory, database]) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'EROFS') return 'disk';
      if (errno === 'EACCES' || errno === 'EPERM') return 'rights';
    }
  }
  return undefined;
}

/** What is said of every change of a vault that can only be read. */
export function readOnlyError({ directory }: VaultPaths, reason: ReadOnlyReason): VaultError {
  const [why, hint] =
    reason === 'disk'
      ? ['it is on a read-only disk', 'copy the folder to a disk that can be written to, and do it there']
      : [
          'this user may not write to it',
          'get the right to write there, or copy the folder to where you have it, and do it there',
        ];
  return new VaultError('NOT_PERMITTED', `${directory} can only be read: ${why}`, { hint });
}

/** What comes before an advice that changes the vault: nothing, where that can be done. */
export function firstCopyHint(paths: VaultPaths): string {
  if (whyReadOnly(paths) === undefined) return '';
  return `${paths.directory} can only be read: copy the folder to a disk that can be written to, and do the rest there; `;
}

export function isBackupError(directory: string): VaultError {
  return new VaultError('NOT_PERMITTED', `${directory} is a backup, and a backup is not changed`, {
    hint: '`coffer restore` makes a vault of it',
  });
}

/**
 * For who is about to ask somebody something, to change a vault then: throws `NOT_PERMITTED` when the vault can only be read, or is a backup. A folder
 * that is no vault, or a damaged one, is left to what opens it.
 */
export async function checkChangeable(directory: string): Promise<void> {
  const paths = vaultPaths(directory);
  if ((await findBackupMarker(directory).catch(() => undefined))?.backup !== undefined)
    throw isBackupError(paths.directory);
  const reason = whyReadOnly(paths);
  if (reason !== undefined) throw readOnlyError(paths, reason);
}

/** Throws `IN_USE`, `NO_SPACE`, `NOT_PERMITTED`. */
export async function copyForReading({ database }: VaultPaths): Promise<ReadingCopy> {
  try {
    return await copyDatabase(database);
  } catch (error) {
    const { code, message } = toVaultError(error);
    if (!(error instanceof DatabaseError) || !['NO_SPACE', 'NOT_PERMITTED'].includes(error.code)) throw error;
    throw new VaultError(code, message, {
      cause: error,
      hint: `the vault can only be read, and its database is copied for that: set TMPDIR to a folder with space for it, instead of ${tmpdir()}`,
    });
  }
}
