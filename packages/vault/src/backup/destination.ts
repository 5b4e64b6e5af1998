import { bytesToHex, randomBytes } from '@coffer/crypto';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { syncFolder } from '../durable-file.ts';
import { VaultError, errnoOf, errnoToVaultError } from '../errors.ts';
import { refuseLinks } from '../links.ts';
import { vaultPaths } from '../paths.ts';
import { finishCommit } from './commit.ts';
import { lockFolder } from './lock-folder.ts';
import { BACKUP_MARKER, findBackupMarker, newMarker, writeBackupMarker } from './marker.ts';
import type { BackupMarker } from './marker.ts';
import { namesIn } from './names-in.ts';
import { refuseOverlap } from './refuse-overlap.ts';
import { makeFolders } from '../make-folders.ts';

/** What may be in a folder that counts as empty: the root of a mounted disk, and what a crash leaves of taking it. */
const NOTHING: readonly string[] = ['lost+found', 'owner.lock', `${BACKUP_MARKER}.tmp`];

/** A folder for backups of one vault, taken by this process. */
export class BackupDestination implements Disposable {
  /** Absolute, links followed. */
  readonly directory: string;
  readonly marker: BackupMarker;
  readonly #lock: Disposable;

  private constructor(directory: string, marker: BackupMarker, lock: Disposable) {
    this.directory = directory;
    this.marker = marker;
    this.#lock = lock;
  }

  /**
   * Takes a folder for backups of a vault, and makes it when it is not there. Finishes a backup that was cut short after its moment.
   *
   * @throws VaultError EXISTS (another vault's backup, a vault, a folder that is not empty), INVALID_INPUT (the vault is in it, or it in the vault),
   *   IN_USE, NO_SPACE, NOT_PERMITTED, DAMAGED, TOO_NEW
   */
  static async take(
    path: string,
    vault: { readonly directory: string; readonly vaultId: string },
  ): Promise<BackupDestination> {
    await refuseOverlap(path, vault.directory);
    const directory = await makeFolder(path);
    const found = await inspect(directory, vault.vaultId);
    if (found === undefined) {
      await writeBackupMarker(directory, newMarker(vault.vaultId, bytesToHex(randomBytes(16))));
      await syncFolder(directory);
    }
    const lock = lockFolder(directory);
    try {
      await finishCommit(directory);
      const marker = await inspect(directory, vault.vaultId);
      if (marker === undefined)
        throw new VaultError('FAILED', `${join(directory, BACKUP_MARKER)} has gone away`);
      return new BackupDestination(directory, marker, lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** What `take` would find, without taking or making anything; the marker of a backup that is there. */
  static async look(
    path: string,
    vault: { readonly directory: string; readonly vaultId: string },
  ): Promise<BackupMarker | undefined> {
    await refuseOverlap(path, vault.directory);
    return await inspect(resolve(path), vault.vaultId);
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

async function makeFolder(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    await makeFolders(absolute, 0o700);
    await syncFolder(dirname(absolute));
    return await realpath(absolute);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST')
      throw new VaultError('EXISTS', `${path} is not a folder`, { cause: error });
    throw errnoToVaultError(error, `cannot make a backup in ${path}`);
  }
}

/** The marker of a folder that is one for backups of this vault, `undefined` when it is empty or not there; throws for any other. */
async function inspect(directory: string, vaultId: string): Promise<BackupMarker | undefined> {
  refuseLinks(vaultPaths(directory));
  const marker = await findBackupMarker(directory);
  if (marker?.vaultId === vaultId) {
    await refuseStrangeFiles(directory);
    return marker;
  }
  if (marker !== undefined) {
    throw new VaultError('EXISTS', `${directory} has backups of another vault`, {
      hint: 'each vault needs a folder of its own for its backups',
    });
  }
  const names = await namesIn(directory);
  if (names.every((name) => NOTHING.includes(name))) return undefined;
  const isVault = names.includes('vault.json') || names.includes('vault.json.bak');
  throw isVault
    ? new VaultError('EXISTS', `there is a vault in ${directory}, not a backup`, {
        hint: 'choose another folder',
      })
    : new VaultError('EXISTS', `the folder ${directory} is not empty`, { hint: 'choose an empty one' });
}

/** A link in the place of the folder of sealed files would have us write and shred somewhere else. */
async function refuseStrangeFiles(directory: string): Promise<void> {
  const { files } = vaultPaths(directory);
  const stat = await lstat(files).catch(() => undefined);
  if (stat === undefined || stat.isDirectory()) return;
  throw new VaultError('DAMAGED', `${files} is not a folder`, { hint: 'back up to another folder' });
}
