import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { VaultError, errnoOf, errnoToVaultError } from './errors.ts';
import { readBoundedFile } from './read-bounded-file.ts';

const OWNER_ONLY = 0o600;
const WINDOWS_RENAME_ATTEMPTS = 8;

/**
 * New content of a file, durable under a temporary name in the same folder and not yet under its own: it can be read back and
 * proven first, then `commit` puts it in place at once and whole. Disposal without a commit removes it.
 *
 * One writer at a time: the temporary name is fixed (`….tmp`), so that a crash leaves at most one leftover, which the next
 * `stageFile` replaces.
 */
export class StagedFile implements AsyncDisposable {
  readonly path: string;
  readonly #sizeBytes: number;
  #isStaged = true;

  constructor(path: string, sizeBytes: number) {
    this.path = path;
    this.#sizeBytes = sizeBytes;
  }

  /** Reads from disk what was staged. */
  async readBack(): Promise<Uint8Array> {
    const { bytes } = await readBoundedFile(temporaryPath(this.path), this.#sizeBytes);
    return bytes;
  }

  /**
   * Renames it to its own name, over what is there; the caller then calls `syncFolder`. With `exclusive`, nothing is ever
   * replaced (EXISTS).
   *
   * @throws VaultError EXISTS, NO_SPACE, NOT_PERMITTED, FAILED
   */
  async commit(options: { readonly exclusive?: boolean } = {}): Promise<void> {
    try {
      if (options.exclusive === true) await renameExclusively(temporaryPath(this.path), this.path);
      else await renameOver(temporaryPath(this.path), this.path);
    } catch (error) {
      throw errnoToVaultError(error, `cannot write ${this.path}`);
    }
    this.#isStaged = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStaged) return;
    this.#isStaged = false;
    // What made us give up is the error to report; a leftover is removed at the next write anyway.
    await unlink(temporaryPath(this.path)).catch(() => undefined);
  }
}

/**
 * Writes `bytes` to the temporary name of `path`, with mode 0600, and syncs it. The folder must exist.
 *
 * @throws VaultError NO_SPACE, NOT_PERMITTED, NOT_FOUND, FAILED
 */
export async function stageFile(path: string, bytes: Uint8Array): Promise<StagedFile> {
  const temporary = temporaryPath(path);
  try {
    await removeLeftover(path);
    await writeNewFile(temporary, bytes);
  } catch (error) {
    throw errnoToVaultError(error, `cannot write ${path}`);
  }
  return new StagedFile(path, bytes.length);
}

/**
 * Creates a file with mode 0600 that was not there, and makes it durable. What could not be written whole is removed.
 *
 * @throws VaultError EXISTS, NO_SPACE, NOT_PERMITTED, NOT_FOUND, FAILED
 */
export async function createDurableFile(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeNewFile(path, bytes);
    await syncFolder(dirname(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      throw new VaultError('NOT_FOUND', `cannot create ${path}: there is no folder ${dirname(path)}`, {
        cause: error,
      });
    }
    throw errnoToVaultError(error, `cannot create ${path}`);
  }
}

/** Removes what a crash may have left of writing `path`. */
export async function removeLeftover(path: string): Promise<void> {
  try {
    await unlink(temporaryPath(path));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Makes names in a folder durable. Windows can't open a folder, and its file systems log renames themselves. */
export async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY);
    await handle.sync();
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (process.platform === 'win32' && ['EISDIR', 'EPERM', 'EACCES'].includes(errno)) return;
    throw error;
  } finally {
    await handle?.close();
  }
}

function temporaryPath(path: string): string {
  return `${path}.tmp`;
}

async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  // 'wx' neither follows a link nor opens what is there.
  const handle = await open(path, 'wx', OWNER_ONLY);
  try {
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

async function renameOver(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      // A virus scanner or indexer that has the file open for a moment makes the rename fail on Windows.
      const isPassing = ['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(error) ?? '');
      if (process.platform !== 'win32' || !isPassing || attempt === WINDOWS_RENAME_ATTEMPTS) throw error;
      await delay(10 * 2 ** attempt);
    }
  }
}

async function renameExclusively(from: string, to: string): Promise<void> {
  try {
    // rename(2) would replace what another process made meanwhile; link(2) fails then.
    await link(from, to);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST' || (await isThere(to))) {
      throw new VaultError('EXISTS', `${to} exists already`, { cause: error });
    }
    // A file system without hard links (FAT): what is left is to look first.
    await renameOver(from, to);
    return;
  }
  await unlink(from);
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
