import type { FindingCode } from '@coffer/storage';
import type { FindingKind } from './kind.ts';
import { BY_DOCTOR, LEFT_OVER, REBUILD, fromBackup, fromItself } from './mends.ts';

const LOST_FILE: FindingKind = {
  subject: 'file',
  cost: 'this file, or a part of it, cannot be read any more; no other file is affected',
  remedy: 'put it back from a backup or from where it came, or give it up with `coffer rm`',
  mend: fromBackup,
};

export const LOST_DATABASE: FindingKind = {
  subject: 'database',
  cost: 'the names, tags and small files that are on damaged pages; other files can still be read',
  remedy:
    'make a new database of everything that can be read (the damaged one is kept), or restore the vault from a backup',
  mend: () => REBUILD,
};

/** On a page that cannot be read: SQLite can't free it, so that nothing can be put in its place. */
const LOST_ROW: FindingKind = {
  ...LOST_FILE,
  remedy: LOST_DATABASE.remedy,
  mend: () => REBUILD,
};

/** What a check of the storage finds. */
export const STORAGE_KINDS: Readonly<Record<FindingCode, FindingKind>> = {
  FILE_MISSING: LOST_FILE,
  FILE_TRUNCATED: LOST_FILE,
  FILE_EXTENDED: LOST_FILE,
  FILE_SWAPPED: LOST_FILE,
  FILE_UNREADABLE: LOST_FILE,
  HEADER_DAMAGED: LOST_FILE,
  HEADER_UNSUPPORTED: {
    ...LOST_FILE,
    cost: 'this version cannot read this file; nothing is lost if a newer version wrote it',
    remedy:
      'install a newer version of Coffer; if there is none, its header is damaged: put the file back from a backup',
  },
  KEY_EPOCH_UNKNOWN: {
    ...LOST_FILE,
    cost: 'this file was sealed under a key that this vault does not have, or its header is damaged',
  },
  SEGMENT_DAMAGED: {
    ...LOST_FILE,
    cost: 'up to 256 KiB for each damaged segment; `coffer cat --range` still reads the rest',
  },
  HASH_MISMATCH: LOST_FILE,
  BLOB_MISSING: LOST_FILE,
  BLOB_DAMAGED: LOST_ROW,
  ROW_DAMAGED: LOST_ROW,
  HEADER_LEFT_OVER: {
    subject: 'file',
    cost: 'nothing: the file is whole',
    remedy: 'get the file, and add it again in the place of this one; it is in a folder of yours meanwhile',
    mend: fromItself,
  },
  DATABASE_DAMAGED: LOST_DATABASE,
  PAGE_DAMAGED: LOST_DATABASE,
  NOT_CHECKED: {
    subject: 'database',
    cost: 'nothing is known to be lost, but a part was not looked at',
    remedy: 'free some space and check again',
    mend: () => 'coffer check',
  },
  FOLDER_DAMAGED: {
    subject: 'folder',
    cost: 'all sealed files, as long as the folder cannot be read',
    remedy: 'move away what is in the place of files/, and put the folder back from a backup',
    mend: ({ item }) => `mv ${item} . && cp -R BACKUP/files ${item}`,
  },
  FILE_UNREFERENCED: {
    subject: 'folder',
    cost: 'nothing yet: an older data.db was probably put back, and this file is newer than it',
    remedy: 'it is moved to quarantine/, never deleted; `coffer quarantine adopt` brings it back',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  FILE_LEFT_OVER: LEFT_OVER,
  NAME_UNKNOWN: {
    subject: 'folder',
    cost: 'nothing; somebody else put it there, and Coffer leaves it alone',
    remedy: 'move it out of the vault',
    mend: ({ item }) => `mv ${item} .`,
  },
};
