import { open, rename } from 'node:fs/promises';
import { parseFileId } from '@coffer/database';
import { errnoOf, toStorageError } from '../errors.ts';
import { SealedFolder, shredFile, shredWhole, syncFolder } from '../sealed-folder.ts';
import { parseHeaderLine } from './header-records.ts';
import { stagingPaths } from './staging-paths.ts';
import type { StagingPaths } from './staging-paths.ts';
import { databaseFiles } from './staging.ts';

/**
 * Turns the backup in `destination` into the one that was staged in `staging`: sealed files, headers, the database, then the removal of
 * what the backup has no more. Needs no key. It can be run again at any time until it has returned, also after a crash of its
 * own; between the first call and that return the backup must not be opened. Everything is durable when it returns.
 */
export async function applyBackup(staging: string, destination: string): Promise<void> {
  const paths = stagingPaths(staging);
  const folder = new SealedFolder(destination);
  try {
    await folder.create();
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

async function moveFiles(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  const staged = new SealedFolder(paths.directory);
  for (const name of await staged.names()) {
    const parsed = staged.parseName(name);
    if (parsed.kind !== 'sealed') continue;
    // What it takes the place of is damaged, or was sealed again.
    await shredFile(folder.sealedPath(parsed.id));
    await rename(staged.sealedPath(parsed.id), folder.sealedPath(parsed.id));
  }
}

/** A header that a crash tears is written again from the same line. */
async function rewriteHeaders(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  for await (const line of linesOf(paths.headers)) {
    const { id, header } = parseHeaderLine(line);
    const handle = await unlessMissing(open(folder.sealedPath(id), 'r+'));
    if (handle === undefined) continue;
    try {
      for (let done = 0; done < header.length;) {
        done += (await handle.write(header, done, header.length - done, done)).bytesWritten;
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
}

/** They wrap file keys, as the headers themselves do. Another name first: torn lines are not read again. */
async function discardHeaders({ directory, headers, usedHeaders }: StagingPaths): Promise<void> {
  await unlessMissing(rename(headers, usedHeaders));
  await syncFolder(directory);
  await shredWhole(usedHeaders);
}

async function replaceDatabase(paths: StagingPaths, destination: string): Promise<void> {
  const { database } = stagingPaths(destination);
  // A log that somebody who opened the backup left behind would be played into the new database.
  const [, ...beside] = databaseFiles(database);
  for (const path of beside) await shredWhole(path);
  await syncFolder(destination);
  await unlessMissing(rename(paths.database, database));
  await syncFolder(destination);
}

async function shredRemoved(paths: StagingPaths, folder: SealedFolder): Promise<void> {
  for await (const line of linesOf(paths.removed)) await shredFile(folder.sealedPath(parseFileId(line)));
}

/** The lines of a file, none when it is gone: then everything in it has been done. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const handle = await unlessMissing(open(path, 'r'));
  if (handle === undefined) return;
  try {
    yield* handle.readLines();
  } finally {
    await handle.close().catch(() => undefined);
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
