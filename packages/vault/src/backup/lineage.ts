import type { CofferDatabase } from '@coffer/database';
import { VaultError } from '../errors.ts';
import type { VaultKeys } from '../rotate/vault-keys.ts';
import type { BackupMarker } from './marker.ts';
import { findHindrance, markUnnoted } from './unnoted.ts';

/** For each place of backups, the last two backups that this vault has begun there. */
function settingOf({ destinationId }: BackupMarker): string {
  return `backup/${destinationId}`;
}

/**
 * Refuses to replace a backup that this vault has not made: then an older copy of the vault was put back, or another copy of it uses the
 * same place, and the backup may hold files that are nowhere else. One that could not be noted, because the vault could only be read, is known by what it holds.
 *
 * @throws VaultError EXISTS, and what reading the backup's database throws
 */
export async function refuseForeignBackup(
  vault: { readonly database: CofferDatabase; readonly keys: VaultKeys },
  marker: BackupMarker,
  destination: string,
): Promise<void> {
  const { backup } = marker;
  if (backup === undefined || isNoted(vault.database, marker)) return;
  const hindrance = await findHindrance(vault, destination, backup.backupId);
  if (hindrance === undefined) return;
  const why =
    hindrance.kind === 'later'
      ? 'was made from a later or another state of this vault, and may hold files that this one does not have'
      : `may hold files that this vault never had: ${hindrance.path}, which was added last of those in it, is not in this one`;
  throw new VaultError('EXISTS', `the backup in ${destination} ${why}`, {
    hint: '`coffer restore` gives back what it holds; to go on with this vault as it is, back up to another folder',
  });
}

/**
 * Notes, before the database is copied, that a backup is begun: the one in place stays known until this one has taken its place. Of a vault that can only be read it is noted in
 * the backup alone, which says so.
 */
export function noteBackup(database: CofferDatabase, marker: BackupMarker, backupId: string): void {
  const before = marker.backup === undefined ? [] : [marker.backup.backupId];
  const note = (): void => {
    database.settings.set(settingOf(marker), [...before, backupId].join(' '));
    if (database.refusesChanges) markUnnoted(database.settings, backupId);
  };
  database.despiteRefusal(() => {
    // A full disk is a reason to make a backup; the reserve is filled again when the vault is closed.
    database.transaction(note, { freesSpace: true });
  });
}

/** Whether this vault has begun the backup that is there, or none is there yet. */
export function isNoted(database: CofferDatabase, marker: BackupMarker): boolean {
  const begun = database.settings.get(settingOf(marker))?.split(' ') ?? [];
  return marker.backup === undefined || begun.includes(marker.backup.backupId);
}
