import type { CofferDatabase } from '@coffer/database';
import { VaultError } from '../errors.ts';
import type { BackupMarker } from './marker.ts';

/** For each place of backups, the last two backups that this vault has begun there. */
function settingOf({ destinationId }: BackupMarker): string {
  return `backup/${destinationId}`;
}

/**
 * Refuses to replace a backup that this vault has not made: then an older copy of the vault was put back, or another copy of it uses the
 * same place, and the backup may hold files that are nowhere else.
 *
 * @throws VaultError EXISTS
 */
export function refuseForeignBackup(
  database: CofferDatabase,
  marker: BackupMarker,
  destination: string,
): void {
  if (marker.backup === undefined || begunBackups(database, marker).includes(marker.backup.backupId)) return;
  throw new VaultError(
    'EXISTS',
    `the backup in ${destination} was made from a later or another state of this vault, and may hold files that this one does not have`,
    {
      hint: '`coffer restore` gives back what it holds; to go on with this vault as it is, back up to another folder',
    },
  );
}

/**
 * Notes, before the database is copied, that a backup is begun: the one in place stays known until this one has taken its place. Of a vault that can only be read it is noted in
 * the backup alone.
 */
export function noteBackup(database: CofferDatabase, marker: BackupMarker, backupId: string): void {
  const before = marker.backup === undefined ? [] : [marker.backup.backupId];
  const note = (): void => {
    database.settings.set(settingOf(marker), [...before, backupId].join(' '));
  };
  database.despiteRefusal(() => {
    // A full disk is a reason to make a backup; the reserve is filled again when the vault is closed.
    database.transaction(note, { freesSpace: true });
  });
}

function begunBackups(database: CofferDatabase, marker: BackupMarker): readonly string[] {
  return database.settings.get(settingOf(marker))?.split(' ') ?? [];
}
