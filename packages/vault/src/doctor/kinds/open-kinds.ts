import type { FindingKind } from './kind.ts';
import { BY_DOCTOR, REBUILD } from './mends.ts';
import { LOST_DATABASE } from './storage-kinds.ts';

/** Found in an open vault, besides what a check finds. */
export type OpenFindingCode =
  'QUARANTINED' | 'DELETION_PENDING' | 'SHREDDING_PENDING' | 'DATABASE_UNREADABLE' | 'NOT_OPENED';

export const OPEN_KINDS: Readonly<Record<OpenFindingCode, FindingKind>> = {
  QUARANTINED: {
    subject: 'folder',
    cost: 'their names, if nothing else: they take space, and the vault does not list them',
    remedy: 'adopt what is wanted, drop the rest',
    mend: () => 'coffer quarantine ls',
  },
  DELETION_PENDING: {
    subject: 'folder',
    cost: 'files that were removed can still be read by whoever has the key and the disk',
    remedy: 'they are overwritten and removed',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  SHREDDING_PENDING: {
    subject: 'database',
    cost: 'bytes of files that were to be shredded may still be in data.db and its log',
    remedy: 'free some space, and mend what `coffer check` finds; the database is then cleared',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  DATABASE_UNREADABLE: {
    subject: 'database',
    cost: 'the vault does not open; the sealed files are untouched, and so is what is on pages that are not damaged',
    remedy: LOST_DATABASE.remedy,
    mend: () => REBUILD,
  },
  NOT_OPENED: {
    subject: 'database',
    cost: 'nothing inside the vault could be looked at',
    remedy: 'what keeps it from opening is said above, or by opening it',
    mend: () => 'coffer status -v',
  },
};
