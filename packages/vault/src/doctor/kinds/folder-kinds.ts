import type { FindingKind } from './kind.ts';
import { BY_DOCTOR, LEFT_OVER, databaseOfBackup, instead } from './mends.ts';

/** Found by looking at a vault's folder, with or without its key. */
export type FolderFindingCode =
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

export const FOLDER_KINDS: Readonly<Record<FolderFindingCode, FindingKind>> = {
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
    mend: ({ item }) => databaseOfBackup(item),
  },
  DATABASE_FOREIGN: {
    subject: 'database',
    cost: 'all names, folders, tags and small files; the sealed files are untouched',
    remedy: 'what is in the place of data.db was not made by this vault: put data.db back from a backup',
    mend: ({ item }) => `mv ${item} . && ${databaseOfBackup(item)}`,
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
    mend: instead,
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
    cost: 'nothing can be added, changed or put right there; reading takes no right to write',
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
};
