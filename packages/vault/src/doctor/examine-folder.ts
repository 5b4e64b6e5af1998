import {
  DatabaseError,
  acquireOwnerLock,
  checkRuntime,
  inspectDatabaseFile,
  keepsDamaged,
} from '@coffer/database';
import { accessSync, constants, existsSync, lstatSync, realpathSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { findBackupMarker } from '../backup/marker.ts';
import { isUnfinishedRestore } from '../backup/restore-target.ts';
import { errnoOf } from '../errors.ts';
import { describeLink, linksIn } from '../links.ts';
import { vaultModeWarning } from '../loose-mode.ts';
import type { VaultPaths } from '../paths.ts';
import { whyReadOnly } from '../read-only.ts';
import { isUnfinishedInit } from '../unfinished-init.ts';
import { examineVaultFile } from './examine-vault-file.ts';
import { toFinding } from './finding.ts';
import type { Finding } from './finding.ts';
import { examinePlaces, isTaken } from './examine-places.ts';
import { isForeignName, isLeftOverName, placeOf } from './folder-names.ts';
import { READ_ONLY_DISK } from './kinds/mends.ts';
import { quoteForShell } from './quote-for-shell.ts';

/** What the machine says; what tests say instead. */
export interface Machine {
  readonly nowMs: number;
  readonly nodeVersion: string;
}

/** A log at its largest, and the reserve. */
const LOW_SPACE_BYTES: number = 32 * 1024 * 1024;
/** Clocks differ, and time zones are mistaken for one another. */
const CLOCK_TOLERANCE_MS: number = 26 * 60 * 60 * 1000;

/**
 * What is wrong with the folder of a vault, as far as it can be told without a key, and without disturbing a process that has it open. Changes
 * nothing. Throws `NO_VAULT`, `TOO_NEW`, `NOT_PERMITTED` (the folder can't be listed).
 */
export async function examineFolder(paths: VaultPaths, machine: Partial<Machine> = {}): Promise<Finding[]> {
  const { nowMs = Date.now(), nodeVersion = process.versions.node } = machine;
  // What else there is to say is said of what belongs there, when that is there.
  const links = linksIn(paths);
  if (links.length > 0) return links.map((link) => linkFinding(link, paths));
  if (isUnfinishedInit(paths)) return [unfinished('INIT_UNFINISHED', paths)];
  if (isUnfinishedRestore(paths)) return [unfinished('RESTORE_UNFINISHED', paths)];
  const isOwned = isInUse(paths);
  // Nothing needs space where nothing can be written.
  const needsSpace = whyReadOnly(paths) === undefined;
  // Nothing is ever removed from a backup.
  const needsReserve = needsSpace && !(await isBackup(paths));
  return [
    ...examineRuntime(nodeVersion),
    ...(await examineVaultFile(paths)),
    ...examineDatabase(paths, isOwned),
    ...(needsReserve ? examineReserve(paths) : []),
    ...examineFiles(paths),
    ...examineLock(paths),
    ...examinePlaces(paths),
    ...examineModes(paths),
    ...examineRights(paths),
    ...(await examineNames(paths, isOwned)),
    ...(needsSpace ? await examineSpace(paths) : []),
    ...examineClock(paths, nowMs),
  ];
}

function linkFinding(item: string, { ownerLock, database }: VaultPaths): Finding {
  // A lock is empty and made anew, and where nothing is behind a link there is nothing to put in its place.
  const code = item === ownerLock ? 'LOCK_REPLACED' : existsSync(item) ? 'LINKED' : 'PLACE_TAKEN';
  const target = code === 'LINKED' && item === database ? { database: realpathSync(item) } : {};
  return toFinding(code, { item, message: describeLink(item), ...since(item), ...target });
}

function unfinished(code: 'INIT_UNFINISHED' | 'RESTORE_UNFINISHED', { directory }: VaultPaths): Finding {
  const what = code === 'INIT_UNFINISHED' ? 'making' : 'restoring';
  return toFinding(code, {
    item: directory,
    message: `${what} the vault in ${directory} was interrupted before it was one`,
  });
}

function examineRuntime(nodeVersion: string): Finding[] {
  try {
    checkRuntime(nodeVersion);
    return [];
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return [toFinding('RUNTIME_UNSUPPORTED', { item: `Node.js ${nodeVersion}`, message: error.message })];
  }
}

function examineDatabase({ database, keptDatabase }: VaultPaths, isOwned: boolean): Finding[] {
  const { problem } = inspectDatabaseFile(database);
  if (existsSync(`${database}.rebuilt`) && !isOwned) {
    const message = 'the new database of a rebuilding is complete, and was not put in its place yet';
    return [
      toFinding('NOT_CLOSED', { item: `${database}.rebuilt`, message, ...since(`${database}.rebuilt`) }),
    ];
  }
  if (problem?.code === 'NOT_FOUND') {
    return [toFinding('DATABASE_MISSING', { item: database, message: `${database} is missing` })];
  }
  if (problem !== undefined && problem.code !== 'NOT_PERMITTED') {
    return [toFinding('DATABASE_FOREIGN', { item: database, message: problem.message, ...since(database) })];
  }
  const findings: Finding[] = [];
  if (keepsDamaged(database)) {
    const message = `${keptDatabase} is the damaged database of which this one was made`;
    findings.push(toFinding('DATABASE_KEPT', { item: keptDatabase, message, ...since(keptDatabase) }));
  }
  const log = lstatSync(`${database}-wal`, { throwIfNoEntry: false });
  if (log?.isFile() === true && log.size > 0 && !isOwned) {
    const message = 'the last process that had the vault open did not close it';
    findings.push(toFinding('NOT_CLOSED', { item: `${database}-wal`, message, ...since(`${database}-wal`) }));
  }
  return findings;
}

/** One that says so: what is wrong with its marker, opening says. */
async function isBackup({ directory }: VaultPaths): Promise<boolean> {
  const marker = await findBackupMarker(directory).catch(() => undefined);
  return marker?.backup !== undefined;
}

function examineReserve({ database }: VaultPaths): Finding[] {
  const { problem, hasReserve } = inspectDatabaseFile(database);
  // What is no database needs none.
  if (hasReserve || (problem !== undefined && problem.code !== 'NOT_PERMITTED')) return [];
  const message = 'the space that is set aside for removing files on a full disk is not there';
  return [toFinding('RESERVE_MISSING', { item: `${database}.reserve`, message })];
}

function examineFiles({ files }: VaultPaths): Finding[] {
  if (!isTaken(files, 'folder')) return [];
  return [toFinding('FOLDER_DAMAGED', { item: files, message: `${files} is not a folder`, ...since(files) })];
}

function examineLock({ ownerLock }: VaultPaths): Finding[] {
  const stats = lstatSync(ownerLock, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return [];
  const message = `${ownerLock} is a link or a folder, not the lock that it has to be`;
  return [toFinding('LOCK_REPLACED', { item: ownerLock, message, ...since(ownerLock) })];
}

export function examineModes(paths: VaultPaths): Finding[] {
  const { directory, database, files, quarantine, vaultFile, vaultFileCopy, ownerLock } = paths;
  const folders = [directory, files, quarantine];
  const own = [vaultFile, vaultFileCopy, database, `${database}-wal`, `${database}.reserve`, ownerLock];
  return [...folders, ...own].flatMap((path) => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // What is not ours but in the place of something has a finding of its own, and a link has no mode of its own.
    const isOurs = folders.includes(path) ? stats?.isDirectory() : stats?.isFile();
    const message = stats === undefined || isOurs !== true ? undefined : vaultModeWarning(path, stats.mode);
    return message === undefined ? [] : [toFinding('LOOSE_MODE', { item: path, message })];
  });
}

function examineRights({ directory, database, files }: VaultPaths): Finding[] {
  for (const path of [directory, database, files].filter((each) => existsSync(each))) {
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
    } catch (error) {
      if (errnoOf(error) !== 'EROFS')
        return [toFinding('NOT_WRITABLE', { item: path, message: `${path} cannot be written to` })];
      const message = `${path} cannot be written to: its disk is read-only`;
      const mend = READ_ONLY_DISK.mend({ item: quoteForShell(directory) });
      return [{ ...toFinding('NOT_WRITABLE', { item: path, message }), remedy: READ_ONLY_DISK.remedy, mend }];
    }
  }
  return [];
}

async function examineNames({ directory }: VaultPaths, isOwned: boolean): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of await readdir(directory)) {
    const item = join(directory, name);
    if (isTaken(item, placeOf(name))) continue;
    if (isLeftOverName(name)) {
      // Of an owner that is there it may be what it writes just now.
      if (isOwned) continue;
      const message = `${item} is left over from a change that did not finish`;
      findings.push(toFinding('WRITE_LEFT_OVER', { item, message, ...since(item) }));
    } else if (isForeignName(name)) {
      findings.push(
        toFinding('FOREIGN_FILE', { item, message: `${item} is not a part of a vault`, ...since(item) }),
      );
    }
  }
  return findings;
}

async function examineSpace({ directory }: VaultPaths): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= LOW_SPACE_BYTES) return [];
  const message = `only ${String(freeBytes)} bytes are free on the disk of the vault`;
  return [toFinding('SPACE_LOW', { item: directory, message })];
}

/** The key slots are the only file whose time nothing but Coffer sets. */
function examineClock({ vaultFile }: VaultPaths, nowMs: number): Finding[] {
  const writtenMs = lstatSync(vaultFile, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return clockFinding(writtenMs, nowMs, 'vault.json was written');
}

/** Whether something happened so far in the future that the clock must be wrong, then or now. */
export function clockFinding(happenedMs: number, nowMs: number, what: string): Finding[] {
  if (happenedMs <= nowMs + CLOCK_TOLERANCE_MS) return [];
  const [then, now] = [happenedMs, nowMs].map((ms) => new Date(ms).toISOString());
  const message = `the clock of this machine says ${now ?? ''}, but ${what} at ${then ?? ''}`;
  return [toFinding('CLOCK_WRONG', { item: 'the clock', message })];
}

/** Whether a process, perhaps this one, has the vault open. `false`, too, where that can't be asked. */
function isInUse({ directory, ownerLock }: VaultPaths): boolean {
  // Asking makes the lock's file, which is not for an examination to do.
  if (!existsSync(directory) || !existsSync(ownerLock)) return false;
  try {
    acquireOwnerLock(ownerLock).release();
    return false;
  } catch (error) {
    return error instanceof DatabaseError && error.code === 'IN_USE';
  }
}

function since(path: string): { readonly sinceMs?: number } {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? {} : { sinceMs: Math.round(stats.mtimeMs) };
}

/** What keeps a vault from being opened at all: opening is not tried then. */
export function keepsClosed({ code }: Finding): boolean {
  return [
    'LINKED',
    'INIT_UNFINISHED',
    'RESTORE_UNFINISHED',
    'RUNTIME_UNSUPPORTED',
    'VAULT_FILE_LOST',
    'DATABASE_MISSING',
    'DATABASE_FOREIGN',
    'FOLDER_DAMAGED',
    'LOCK_REPLACED',
  ].includes(code);
}
