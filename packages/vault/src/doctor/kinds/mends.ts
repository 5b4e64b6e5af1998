import { quoteForShell } from '../quote-for-shell.ts';
import type { FindingKind, MendAbout } from './kind.ts';

export const BY_DOCTOR = 'coffer doctor --fix';
/** Makes a new database, and keeps the damaged one. */
export const REBUILD = 'coffer doctor --rebuild';
/** Into a new folder: the damaged vault stays as it is. */
export const RESTORE = 'coffer restore BACKUP --vault RESTORED';

/** The same of a backup that is known. */
export function restoreFrom(backup: string): string {
  return `coffer restore ${quoteForShell(backup)} --vault RESTORED`;
}

/** How a file takes the place of the one of its name, with its tags. */
function addAgain(source: string, file: { readonly folder: string; readonly name: string }): string {
  const into = file.folder === '' ? '' : ` --folder ${quoteForShell(file.folder)}`;
  return `coffer add ${source} --name ${quoteForShell(file.name)}${into} --on-conflict replace`;
}

/**
 * From the backup to the vault through a pipe, which leaves no plaintext behind. A shell does not say that the first of two commands failed: without its hash,
 * the beginning of a file would take the place of the whole one.
 */
export function fromBackup({ file }: MendAbout): string {
  if (file?.sha256 === undefined) return RESTORE;
  return `coffer cat id:${file.id} --vault BACKUP | ${addAgain('-', file)} --sha256 ${file.sha256}`;
}

/** Two commands can't have one vault open at once, so that the content has to be somewhere between them: where nobody else reads it. */
export function fromItself({ file }: MendAbout): string {
  if (file === undefined) return RESTORE;
  const get = `coffer get id:${file.id} -o "$t"/f`;
  return `t=$(mktemp -d) && ${get} && ${addAgain('"$t"/f', file)}; rm -rf "$t"`;
}

/**
 * Puts a copy of what a link leads to in its place. SQLite has the log of a database beside what the link leads to, and it may have what was written last: it comes first, so that
 * the database is never in its place without it. What is in the place of the log belongs to no database that was used since, or is a link itself.
 */
export function instead({ item, database }: MendAbout): string {
  const copy = `cp -pRL ${item} ${item}.copy && rm ${item} && mv ${item}.copy ${item}`;
  if (database === undefined) return copy;
  const log = `cp -p ${database}-wal ${item}-wal.copy && mv -f ${item}-wal.copy ${item}-wal`;
  return `if test -s ${database}-wal; then ${log}; fi && ${copy}`;
}

/** Of a vault on a disk that is mounted read-only, where no right helps. */
export const READ_ONLY_DISK: Pick<FindingKind, 'remedy' | 'mend'> = {
  remedy:
    'nothing, if that is meant; else copy the vault to a disk that can be written to, and do there whatever else is to be put right',
  mend: ({ item }) => `cp -Rp ${item} RESTORED`,
};

/** A log that is still there is of the database that was there. */
export function databaseOfBackup(item: string): string {
  return `if test -e ${item}-wal; then mv ${item}-wal .; fi && cp BACKUP/data.db ${item} && ${BY_DOCTOR}`;
}

/** What nobody needs, and whose key is still in it. */
export const LEFT_OVER: FindingKind = {
  subject: 'folder',
  cost: 'disk space only',
  remedy: 'it is removed, after its key is overwritten',
  mend: () => BY_DOCTOR,
  isFixable: true,
};
