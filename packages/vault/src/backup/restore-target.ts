import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stageFile, syncFolder } from '../durable-file.ts';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { vaultPaths } from '../paths.ts';
import type { VaultPaths } from '../paths.ts';
import { readBoundedFile } from '../read-bounded-file.ts';
import { lockFolder } from './lock-folder.ts';
import { namesIn } from './names-in.ts';
import { makeFolders } from '../make-folders.ts';

/** Stands in a vault's folder from the beginning of `restore` to its end. */
export const UNFINISHED_RESTORE = 'restore.unfinished';

const NOTHING: readonly string[] = ['lost+found', 'owner.lock', `${UNFINISHED_RESTORE}.tmp`];

/** Whether a `restore` was cut short before there was a vault. */
export function isUnfinishedRestore(paths: VaultPaths): boolean {
  return existsSync(join(paths.directory, UNFINISHED_RESTORE)) && !existsSync(paths.vaultFile);
}

/** A folder that a vault is being restored to, taken by this process. */
export class RestoreTarget implements Disposable {
  readonly paths: VaultPaths;
  readonly #lock: Disposable;

  private constructor(paths: VaultPaths, lock: Disposable) {
    this.paths = paths;
    this.#lock = lock;
  }

  /**
   * Takes a folder that is empty, not there, or has what an interrupted `restore` of the same vault left.
   *
   * @throws VaultError EXISTS, IN_USE, NO_SPACE, NOT_PERMITTED
   */
  static async take(directory: string, vaultId: string): Promise<RestoreTarget> {
    const paths = vaultPaths(directory);
    try {
      await makeFolders(paths.directory, 0o700);
      await refuseOtherFiles(paths, vaultId);
      const lock = lockFolder(paths.directory);
      try {
        await refuseOtherFiles(paths, vaultId);
        const marker = await stageFile(
          join(paths.directory, UNFINISHED_RESTORE),
          new TextEncoder().encode(vaultId),
        );
        await marker.commit();
        await syncFolder(paths.directory);
        await syncFolder(dirname(paths.directory));
      } catch (error) {
        lock[Symbol.dispose]();
        throw error;
      }
      return new RestoreTarget(paths, lock);
    } catch (error) {
      throw errnoToVaultError(error, `cannot restore to ${paths.directory}`);
    }
  }

  /** Makes the folder a vault: from the moment on in which its `vault.json` is durable it is one. */
  async finish(vaultFile: Uint8Array): Promise<void> {
    const { directory } = this.paths;
    try {
      for (const path of [this.paths.vaultFileCopy, this.paths.vaultFile]) {
        await using staged = await stageFile(path, vaultFile);
        await staged.commit();
      }
      await syncFolder(directory);
      await rm(join(directory, UNFINISHED_RESTORE));
      await syncFolder(directory);
    } catch (error) {
      throw errnoToVaultError(error, `cannot restore to ${directory}`);
    }
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/** Refuses a folder that has anything but what an interrupted `restore` of the same vault left. Throws `EXISTS`. */
export async function refuseOtherFiles(paths: VaultPaths, vaultId: string): Promise<void> {
  const names = await namesIn(paths.directory);
  if (names.every((name) => NOTHING.includes(name))) return;
  if (isUnfinishedRestore(paths)) {
    const path = join(paths.directory, UNFINISHED_RESTORE);
    const { bytes } = await readBoundedFile(path, 64).catch((error: unknown) => {
      if (errnoOf(error) === undefined) throw error;
      throw errnoToVaultError(error, `cannot read ${path}`);
    });
    if (new TextDecoder().decode(bytes) === vaultId) return;
    throw new VaultError(
      'EXISTS',
      `another vault was being restored to ${paths.directory}, and that was interrupted`,
      {
        hint: 'finish that first, or choose another folder',
      },
    );
  }
  const isVault = names.includes('vault.json') || names.includes('vault.json.bak');
  throw isVault
    ? new VaultError('EXISTS', `there is a vault in ${paths.directory} already`, {
        hint: 'restore to another folder',
      })
    : new VaultError('EXISTS', `the folder ${paths.directory} is not empty`, { hint: 'choose an empty one' });
}
