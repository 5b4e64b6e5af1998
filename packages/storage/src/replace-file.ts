import type { BigIntStats } from 'node:fs';
import { link, lstat, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './errno.ts';
import { StorageError } from './errors.ts';
import { shredFile, syncFolder } from './sealed-folder.ts';

/** The second name of a sealed file while another one takes its place. */
export function replacedPath(path: string): string {
  return `${path}.replaced`;
}

/** Destroys a file that was replaced: of a sealed one its header. */
type Shred = (path: string) => Promise<void>;

/**
 * Puts a durable file in the place of a sealed one, or of another, that is then shredded. The old one gets a second name first, by which it is found and shredded
 * whatever cuts this short (`settleReplaced`). The first name always is that of a whole file, the old one or the new one; only on a file system
 * without hard links is it nobody's for a moment. `false`, and nothing has changed, when there is no old one.
 *
 * In a turn of the file (`FileTurns`).
 *
 * @throws StorageError NOT_A_FILE; what the file system throws
 */
export async function replaceFile(
  path: string,
  replacement: string,
  shred: Shred = shredFile,
): Promise<boolean> {
  const folder = dirname(path);
  await settleReplaced(path, shred);
  if (!(await giveSecondName(path))) return false;
  try {
    await syncFolder(folder);
    await rename(replacement, path);
  } catch (error) {
    await settleReplaced(path, shred);
    throw error;
  }
  await shredReplaced(path, shred);
  return true;
}

/**
 * Finishes or undoes what was cut short: takes a second name away from the file that still has the first one, shreds one that another file has taken the place
 * of, and gives its name back to one whose place nobody took (`moved back`). Once more at any time.
 */
export async function settleReplaced(
  path: string,
  shred: Shred = shredFile,
): Promise<'nothing' | 'removed' | 'moved back'> {
  const [current, replaced] = [await statOf(path), await statOf(replacedPath(path))];
  if (replaced === undefined) return 'nothing';
  if (current === undefined) {
    await rename(replacedPath(path), path);
    await syncFolder(dirname(path));
    return 'moved back';
  }
  if (isSame(current, replaced)) {
    await unlink(replacedPath(path));
    await syncFolder(dirname(path));
  } else {
    await shredReplaced(path, shred);
  }
  return 'removed';
}

async function shredReplaced(path: string, shred: Shred): Promise<void> {
  // First: until the new name is durable a loss of power may bring the old file back.
  await syncFolder(dirname(path));
  await shred(replacedPath(path));
  await syncFolder(dirname(path));
}

async function giveSecondName(path: string): Promise<boolean> {
  const stat = await statOf(path);
  if (stat === undefined) return false;
  if (!stat.isFile()) throw new StorageError('NOT_A_FILE', `${path} is not a regular file`);
  try {
    await link(path, replacedPath(path));
  } catch {
    // Not every file system has links. What keeps a file from being renamed, too, is thrown.
    await rename(path, replacedPath(path));
  }
  return true;
}

/** Whether both are names of one file. A loss of power may leave it the old one when it has got the new one, if they are in two folders. */
export async function isOneFile(path: string, other: string): Promise<boolean> {
  const [first, second] = [await statOf(path), await statOf(other)];
  return first !== undefined && second !== undefined && isSame(first, second);
}

function isSame(first: BigIntStats, second: BigIntStats): boolean {
  return first.dev === second.dev && first.ino === second.ino;
}

/** With all digits of a file's number, which on Windows a `number` cannot hold. */
async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
