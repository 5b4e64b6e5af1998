import { VaultError } from '../errors.ts';
import type { VaultPaths } from '../paths.ts';
import { findBackupMarker } from './marker.ts';
import type { BackupMade } from './marker.ts';

/**
 * The backup that a folder is, or `undefined` when it is none.
 *
 * @throws VaultError NO_VAULT (no backup has ever been finished there), DAMAGED, TOO_NEW, NOT_PERMITTED
 */
export async function findOpenableBackup(paths: VaultPaths): Promise<BackupMade | undefined> {
  const marker = await findBackupMarker(paths.directory);
  if (marker === undefined) return undefined;
  if (marker.backup !== undefined) return marker.backup;
  throw new VaultError(
    'NO_VAULT',
    `the first backup in ${paths.directory} was interrupted before it was one`,
    {
      hint: 'run `coffer backup` again: it goes on where it was interrupted',
    },
  );
}
