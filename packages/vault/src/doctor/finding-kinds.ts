import type { FindingCode as StorageFindingCode } from '@coffer/storage';
import { quoteForShell } from './quote-for-shell.ts';
import type { FindingSubject } from './finding.ts';

/** Found by looking at a vault's folder, with or without its key. */
type FolderFindingCode =
  | 'VAULT_FILE_COPY'
  | 'VAULT_FILE_FOREIGN'
  | 'VAULT_FILE_LOST'
  | 'LOOSE_MODE'
  | 'DATABASE_MISSING'
  | 'DATABASE_FOREIGN'
  | 'DATABASE_KEPT'
  | 'NOT_CLOSED'
  | 'IN_USE'
  | 'LOCK_REPLACED'
  | 'LINKED'
  | 'PLACE_TAKEN'
  | 'RESERVE_MISSING'
  | 'WRITE_LEFT_OVER'
  | 'FOREIGN_FILE'
  | 'INIT_UNFINISHED'
  | 'RESTORE_UNFINISHED'
  | 'SPACE_LOW'
  | 'NOT_WRITABLE'
  | 'CLOCK_WRONG'
  | 'ROLLED_BACK'
  | 'RUNTIME_UNSUPPORTED';

/** Found in an open vault, besides what a check finds. */
type OpenFindingCode =
  'QUARANTINED' | 'DELETION_PENDING' | 'SHREDDING_PENDING' | 'DATABASE_UNREADABLE' | 'NOT_OPENED';

export type FindingCode = StorageFindingCode | FolderFindingCode | OpenFindingCode;

export interface MendAbout {
  /** As a shell takes it. */
  readonly item: string;
  readonly file?: {
    readonly id: string;
    readonly folder: string;
    readonly name: string;
    /** Hex; not there where the row cannot be read. */
    readonly sha256?: string;
  };
}

export interface FindingKind {
  readonly subject: FindingSubject;
  /** What is lost or at risk. */
  readonly cost: string;
  readonly remedy: string;
  /** The command that does it. */
  readonly mend: (about: MendAbout) => string;
  /** Whether `doctor --fix` does it. */
  readonly isFixable?: boolean;
}

const BY_DOCTOR = 'coffer doctor --fix';
/** Makes a new database, and keeps the damaged one. */
const REBUILD = 'coffer doctor --rebuild';
/** Into a new folder: the damaged vault stays as it is. */
const RESTORE = 'coffer restore BACKUP --vault RESTORED';

/** How a file takes the place of the one of its name, with its tags. */
function addAgain(source: string, file: { readonly folder: string; readonly name: string }): string {
  const into = file.folder === '' ? '' : ` --folder ${quoteForShell(file.folder)}`;
  return `coffer add ${source} --name ${quoteForShell(file.name)}${into} --on-conflict replace`;
}

/**
 * From the backup to the vault through a pipe, which leaves no plaintext behind. A shell does not say that the first of two commands failed: without its hash,
 * the beginning of a file would take the place of the whole one.
 */
function fromBackup({ file }: MendAbout): string {
  if (file?.sha256 === undefined) return RESTORE;
  return `coffer cat id:${file.id} --vault BACKUP | ${addAgain('-', file)} --sha256 ${file.sha256}`;
}

/** Two commands can't have one vault open at once, so that the content has to be somewhere between them: where nobody else reads it. */
function fromItself({ file }: MendAbout): string {
  if (file === undefined) return RESTORE;
  const get = `coffer get id:${file.id} -o "$t"/f`;
  return `t=$(mktemp -d) && ${get} && ${addAgain('"$t"/f', file)}; rm -rf "$t"`;
}

const LOST_FILE: FindingKind = {
  subject: 'file',
  cost: 'this file, or a part of it, cannot be read any more; no other file is affected',
  remedy: 'put it back from a backup or from where it came, or give it up with `coffer rm`',
  mend: fromBackup,
};

const LOST_DATABASE: FindingKind = {
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

const LEFT_OVER: FindingKind = {
  subject: 'folder',
  cost: 'disk space only',
  remedy: 'it is removed, after its key is overwritten',
  mend: () => BY_DOCTOR,
  isFixable: true,
};

/** Every kind of finding; docs/recovering.md is held against it by a test. */
export const FINDING_KINDS: Readonly<Record<FindingCode, FindingKind>> = {
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
  VAULT_FILE_COPY: {
    subject: 'slots',
    cost: 'nothing yet: of the two copies of the key slots one is left, and without it nothing opens the vault',
    remedy: 'both copies are written anew',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  VAULT_FILE_FOREIGN: {
    subject: 'slots',
    cost: 'key slots cannot be changed, and there is only one copy of them',
    remedy: 'move the copy that is another vault’s away; the right one is then written again',
    mend: ({ item }) => `mv ${item} . && ${BY_DOCTOR}`,
  },
  VAULT_FILE_LOST: {
    subject: 'slots',
    cost: 'everything: nothing opens the vault without its key slots',
    remedy:
      'put vault.json back from a backup of this vault; if slots were changed after it was made, `coffer key accept-rollback` goes on with it',
    mend: ({ item }) => `cp BACKUP/vault.json ${item}`,
  },
  LOOSE_MODE: {
    subject: 'folder',
    cost: 'other users of this machine may see names, sizes and times, and try to guess the passphrase',
    remedy: 'the access of others is taken away',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  DATABASE_MISSING: {
    subject: 'database',
    cost: 'all names, folders, tags and small files; the sealed files are untouched',
    remedy:
      'put data.db back from a backup of this vault; what is newer than it then goes to quarantine/. Without a backup, `coffer doctor --rebuild` makes an empty one, and everything goes there',
    mend: ({ item }) => `cp BACKUP/data.db ${item} && ${BY_DOCTOR}`,
  },
  DATABASE_FOREIGN: {
    subject: 'database',
    cost: 'all names, folders, tags and small files; the sealed files are untouched',
    remedy: 'what is in the place of data.db was not made by this vault: put data.db back from a backup',
    mend: ({ item }) => `mv ${item} . && cp BACKUP/data.db ${item} && ${BY_DOCTOR}`,
  },
  DATABASE_KEPT: {
    subject: 'database',
    cost: 'what is removed, shredded or under an old key stays in it as it was, for whoever has a key of that time',
    remedy: 'remove it, when nothing is missing any more that a repair of it could bring back',
    mend: ({ item }) => `rm -f ${item} ${item}-wal`,
  },
  NOT_CLOSED: {
    subject: 'database',
    cost: 'nothing: what used the vault last was cut short, and opening it finishes what was begun',
    remedy: 'open the vault',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  IN_USE: {
    subject: 'machine',
    cost: 'nothing, but another process has the vault open, and this one could not look inside',
    remedy: 'wait until the other process is done; if it is an agent, lock the vault',
    mend: () => 'coffer lock',
  },
  LOCK_REPLACED: {
    subject: 'folder',
    cost: 'the vault does not open: its lock could be a file that is somebody’s',
    remedy: 'move away what is in the place of owner.lock',
    mend: ({ item }) => `mv ${item} .`,
  },
  LINKED: {
    subject: 'folder',
    cost: 'the vault does not open: what is renamed and made durable beside a link is not what the link leads to',
    remedy:
      'put a copy of what it leads to in its place; to have the vault on another disk, move its whole folder and link to that',
    mend: ({ item }) => `cp -pRL ${item} ${item}.copy && rm ${item} && mv ${item}.copy ${item}`,
  },
  PLACE_TAKEN: {
    subject: 'folder',
    cost: 'nothing that is stored, but what needs that name fails, and that may be opening the vault',
    remedy: 'move it away; what belongs there is made again when it is needed',
    mend: ({ item }) => `mv ${item} .`,
  },
  RESERVE_MISSING: {
    subject: 'folder',
    cost: 'on a full disk, nothing can be deleted to make room',
    remedy: 'a megabyte is set aside again, when there is one',
    mend: () => BY_DOCTOR,
    isFixable: true,
  },
  WRITE_LEFT_OVER: { ...LEFT_OVER, remedy: 'it is removed: what it was to become was never used' },
  FOREIGN_FILE: {
    subject: 'folder',
    cost: 'nothing; somebody else put it there, and Coffer leaves it alone',
    remedy: 'move it out of the vault',
    mend: ({ item }) => `mv ${item} .`,
  },
  INIT_UNFINISHED: {
    subject: 'folder',
    cost: 'nothing: making this vault was interrupted before anything could be stored in it',
    remedy: 'make it again',
    mend: () => 'coffer init',
  },
  RESTORE_UNFINISHED: {
    subject: 'folder',
    cost: 'nothing: restoring this vault was interrupted, and the backup is as it was',
    remedy: 'restore it again; it goes on where it was interrupted',
    mend: () => 'coffer restore BACKUP',
  },
  SPACE_LOW: {
    subject: 'machine',
    cost: 'adding files will fail soon; what is stored is safe, and removing still works',
    remedy: 'free some space on this disk',
    mend: () => 'coffer ls -rl --sort size',
  },
  NOT_WRITABLE: {
    subject: 'machine',
    cost: 'nothing can be added, changed or put right there; what is in the vault can be read',
    remedy:
      'nothing, if that is meant; else mount the disk for writing, or give this user the right to write',
    mend: ({ item }) => `chmod u+rwX ${item}`,
  },
  CLOCK_WRONG: {
    subject: 'machine',
    cost: 'times of files that are added now will be wrong',
    remedy: 'set the clock of this machine',
    mend: () => 'date',
  },
  ROLLED_BACK: {
    subject: 'database',
    cost: 'what was added or changed after the older copy was made is missing, and what was removed is back',
    remedy: 'put the newer copy of the vault back if you have it, or go on with this one',
    mend: () => 'coffer key accept-rollback',
  },
  RUNTIME_UNSUPPORTED: {
    subject: 'machine',
    cost: 'the vault does not open with this version of Node.js',
    remedy: 'install Node.js 24.11 or newer',
    mend: () => 'node --version',
  },
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
