import { shredFile } from '@coffer/storage';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VaultError, errnoOf, errnoToVaultError } from '../../errors.ts';

const DATABASE_NAME = 'data.db';
/** What SQLite may have left beside a database, and needs to read it right. */
const COMPANIONS = ['', '-wal', '-journal'] as const;
const FOLDER_NAME = 'importing';

/**
 * An encrypted copy of the database of a source, in a folder of the vault: reading a SQLite database can write to it and beside it, and a source is never
 * changed. `path` is the copy; it goes with this object.
 */
export class DatabaseCopy implements AsyncDisposable {
  readonly path: string;
  readonly #directory: string;
  readonly #source: string;
  readonly #before: string;

  private constructor(directory: string, source: string, before: string) {
    this.path = join(directory, FOLDER_NAME, DATABASE_NAME);
    this.#directory = directory;
    this.#source = source;
    this.#before = before;
  }

  /** Throws `NOT_FOUND` when the source has no database, `SOURCE_CHANGED` when it is being written to, `NO_SPACE`. */
  static async make(directory: string, source: string): Promise<DatabaseCopy> {
    const from = join(source, DATABASE_NAME);
    await removeDatabaseCopy(directory);
    try {
      const before = await fingerprint(from);
      await mkdir(join(directory, FOLDER_NAME), { mode: 0o700 });
      const copy = new DatabaseCopy(directory, from, before);
      for (const end of COMPANIONS) await copyIfThere(from + end, copy.path + end);
      if (!(await copy.isSourceUnchanged())) throw changed(from);
      return copy;
    } catch (error) {
      await removeDatabaseCopy(directory);
      throw errnoToVaultError(error, `cannot copy ${from} to the vault's folder, to read it there`);
    }
  }

  /** Whether the source's database is still what was copied. */
  async isSourceUnchanged(): Promise<boolean> {
    return (await fingerprint(this.#source)) === this.#before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeDatabaseCopy(this.#directory);
  }
}

/** Removes the copy, also one that an import left that was killed. */
export async function removeDatabaseCopy(directory: string): Promise<void> {
  const folder = join(directory, FOLDER_NAME);
  try {
    for (const name of await readdir(folder)) await shredFile(join(folder, name));
    await rmdir(folder);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw errnoToVaultError(error, `cannot remove ${folder}`);
  }
}

export function changed(path: string): VaultError {
  return new VaultError('SOURCE_CHANGED', `${path} changed while it was read`, {
    hint: 'close the application that uses it and import again; what is in the vault already is left out',
  });
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    // Shares the blocks where the file system can.
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(to, 0o600);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Of the database and what belongs to it: sizes and times, which tell of writes without opening anything. */
async function fingerprint(path: string): Promise<string> {
  const parts: string[] = [];
  for (const end of COMPANIONS) {
    let found: BigIntStats | undefined;
    try {
      found = await stat(path + end, { bigint: true });
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || end === '') throw errnoToVaultError(error, `cannot import ${path}`);
    }
    if (found?.isFile() === false) throw new VaultError('NOT_A_FILE', `${path}${end} is not a regular file`);
    parts.push(found === undefined ? '-' : [found.ino, found.size, found.mtimeNs].map(String).join(' '));
  }
  return parts.join('|');
}
