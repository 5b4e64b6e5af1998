import { constants } from 'node:fs';
import { lstat, open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf } from '../errno.ts';
import { damaged, toStorageError } from '../errors.ts';
import { isOneFile, replaceFile, settleReplaced } from '../replace-file.ts';
import { SealedFolder, shredFile, shredWhole, syncFolder } from '../sealed-folder.ts';
import { stagingPaths } from './staging-paths.ts';
import type { StagingPaths } from './staging-paths.ts';
import { stagedHeaders, stagedRemovals } from './staged-lines.ts';
import { databaseFiles } from './staging.ts';

/**
 * Turns the backup in `destination` into the one that was staged in `staging`: sealed files, headers, the database, then the removal of
 * what the backup has no more. Needs no key. It can be run again at any time until it has returned, also after a crash of its
 * own; between the first call and that return the backup must not be opened. Everything is durable when it returns. Throws `DAMAGED`, with the
 * path, for lines in `staging` that no backup writes: all of them are looked at before anything is changed.
 */
export async function applyBackup(staging: string, destination: string): Promise<void> {
  const paths = stagingPaths(staging);
  const folder = new SealedFolder(destination);
  try {
    await refuseDamage(paths);
    await folder.create();
    for (const path of [paths.directory, paths.files, folder.path]) await refuseLink(path);
    await moveFiles(paths, folder);
    await rewriteHeaders(paths, folder);
    await folder.sync();
    await discardHeaders(paths);
    await replaceDatabase(paths, destination);
    await shredRemoved(paths, folder);
    await folder.sync();
  } catch (error) {
    throw toStorageError(error, `cannot finish the backup in ${destination}`);
  }
}

async function refuseDamage(paths: StagingPaths): Promise<void> {
  for (const path of [paths.database, paths.saltCopy]) {
    const stat = await unlessMissing(lstat(path));
    if (stat?.isFile() === false)
      throw damaged('DATABASE_DAMAGED', `${path} is damaged: it is not a regular file`);
  }
  for (const records of [stagedHeaders(paths), stagedRemovals(paths)]) {
    let next;
    do next = await records.next();
    while (next.done !== true);
  }
}

/** Behind a link, files that are somebody else's would be moved, written to and shredded. */
async function refuseLink(path: string): Promise<void> {
  const stat = await unlessMissing(lstat(path));
  if (stat === undefined || stat.isDirectory()) return;
  throw damaged('FOLDER_DAMAGED', `${path} is not a folder`);
}

async function moveFiles(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  const staged = new SealedFolder(paths.directory);
  for (const name of await staged.names()) {
    const parsed = staged.parseName(name);
    if (parsed.kind !== 'sealed') continue;
    const [from, to] = [staged.sealedPath(parsed.id), folder.sealedPath(parsed.id)];
    // It was moved already: to shred what it would take the place of is to shred it.
    if (await isOneFile(from, to)) {
      await unlink(from);
      continue;
    }
    // What it takes the place of is damaged, or was sealed again.
    await shredFile(to);
    await rename(from, to);
  }
}

/** A header that a crash tears is written again from the same line. */
async function rewriteHeaders(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  for await (const { id, header } of stagedHeaders(paths)) {
    const handle = await openSealed(folder.sealedPath(id));
    if (handle === undefined) continue;
    try {
      if (!(await handle.stat()).isFile()) continue;
      for (let done = 0; done < header.length;) {
        done += (await handle.write(header, done, header.length - done, done)).bytesWritten;
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}

/** `undefined` for what is no file of ours: gone, or something else in its place. `check` names both. */
async function openSealed(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'EISDIR', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** They wrap file keys, as the headers themselves do. Another name first: torn lines are not read again. */
async function discardHeaders({ directory, headers, usedHeaders }: StagingPaths): Promise<void> {
  await unlessMissing(rename(headers, usedHeaders));
  await syncFolder(directory);
  await shredWhole(usedHeaders);
}

async function replaceDatabase(paths: StagingPaths, destination: string): Promise<void> {
  const { database, saltCopy } = stagingPaths(destination);
  // A log that somebody who opened the backup left behind would be played into the new database.
  const [, ...beside] = databaseFiles(database);
  for (const path of beside) await shredWhole(path);
  // A loss of power may leave it both names: then it was moved, and the copy of its salt may have been, too.
  if (await isOneFile(paths.database, database)) await unlink(paths.database);
  const [staged, old] = [await unlessMissing(lstat(paths.database)), await unlessMissing(lstat(database))];
  // A folder is no copy, and left alone: the backup is whole without one, and is not to be kept from being finished.
  const isFree = (await unlessMissing(lstat(saltCopy)))?.isDirectory() !== true;
  // The copy that is there is of the old one's. What was staged before there were copies has none to put in its place.
  if (staged !== undefined && isFree) await unlessMissing(unlink(saltCopy));
  await syncFolder(destination);
  if (staged === undefined) await settleReplaced(database, shredOldDatabase);
  // It has names and small files of what was deleted since. A link or whatever else is there has nothing of ours.
  else if (old?.isFile() === true) await replaceFile(database, paths.database, shredOldDatabase);
  else await rename(paths.database, database);
  await syncFolder(destination);
  await unlessMissing(isFree ? rename(paths.saltCopy, saltCopy) : unlink(paths.saltCopy));
  await syncFolder(destination);
}

/**
 * One that has another name as well is somebody's copy, and only loses ours. What can't be done now, the next backup or whoever opens this one does: the new
 * database is in its place, and is not refused for the sake of the old one.
 */
async function shredOldDatabase(path: string): Promise<void> {
  try {
    const { nlink } = await lstat(path);
    await (nlink > 1 ? unlink(path) : shredWhole(path));
  } catch {
    // It keeps its second name, by which it is found.
  }
}

async function shredRemoved(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  for await (const id of stagedRemovals(paths)) await shredFile(folder.sealedPath(id));
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
