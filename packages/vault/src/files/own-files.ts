import { lstatSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { isInside } from '../is-inside.ts';
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
}

function identitiesOf(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? [] : [identity(stat)];
}

function identity(stat: Stats): string {
  return `${String(stat.dev)}:${String(stat.ino)}`;
}
