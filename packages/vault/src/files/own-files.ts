import { lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { VaultError } from '../errors.ts';
import { isInside } from '../is-inside.ts';
import type { FolderGuard } from './local-path.ts';
import type { VaultPaths } from '../paths.ts';

/**
 * Knows the vault's own folder and files, under any path. While the database is open nothing but SQLite may open them: closing
 * any descriptor of a file drops the process's POSIX locks on it, and then a second process could write.
 */
export class OwnFiles {
  readonly #directory: string;
  readonly #identities: ReadonlySet<string>;

  constructor(paths: VaultPaths) {
    this.#directory = paths.directory;
    const { database, ownerLock } = paths;
    const own = [
      paths.directory,
      database,
      `${database}-wal`,
      `${database}-shm`,
      `${database}.reserve`,
      ownerLock,
    ];
    this.#identities = new Set(own.flatMap((path) => identitiesOf(path)));
  }

  /** Whether this is the vault's folder or an open file of it, perhaps by a hard link. */
  includes(stat: Stats): boolean {
    return this.#identities.has(identity(stat));
  }

  /** Whether a path leads to the vault's folder or into it, through whatever links its folders are. */
  contains(path: string): Promise<boolean> {
    return isInside(path, this.#directory);
  }

  /**
   * What keeps stored paths from leading into the vault when its folder is somewhere below `destination`: asked of each folder before
   * something is written to it, throws `INVALID_INPUT`.
   */
  async guardBelow(destination: string): Promise<FolderGuard> {
    if (!(await isInside(this.#directory, destination))) return () => Promise.resolve();
    return async (folder) => {
      if (!(await this.contains(folder))) return;
      throw new VaultError('INVALID_INPUT', `${folder} is inside the vault's own folder`, {
        hint: 'choose another place',
      });
    };
  }
}

function identitiesOf(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [identity(stat)];
}

function identity(stat: Stats): string {
  return `${String(stat.dev)}:${String(stat.ino)}`;
}
