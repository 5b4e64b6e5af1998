import { join, posix, resolve, win32 } from 'node:path';

/** Where everything is in the folder of a vault. */
export interface VaultPaths {
  readonly directory: string;
  /** The SQLCipher database: names, tags, small files. */
  readonly database: string;
  /** A damaged database of which a new one was made. */
  readonly keptDatabase: string;
  /** The folder of sealed files. */
  readonly files: string;
  /** The folder that sealed files without a row are moved to. */
  readonly quarantine: string;
  /** The key slots. */
  readonly vaultFile: string;
  /** The second copy of the key slots. */
  readonly vaultFileCopy: string;
  /** What the owner of the vault holds a lock on. */
  readonly ownerLock: string;
}

/** The layout of a vault in `directory`, as absolute paths. Touches nothing. */
export function vaultPaths(directory: string): VaultPaths {
  const root = resolve(directory);
  return {
    directory: root,
    database: join(root, 'data.db'),
    keptDatabase: join(root, 'data.db.damaged'),
    files: join(root, 'files'),
    quarantine: join(root, 'quarantine'),
    vaultFile: join(root, 'vault.json'),
    vaultFileCopy: join(root, 'vault.json.bak'),
    ownerLock: join(root, 'owner.lock'),
  };
}

export interface DefaultDirectoryInput {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As `os.homedir()` says. */
  readonly homeDirectory: string;
}

/**
 * The folder of the vault when none is named: `%APPDATA%\coffer` on Windows, `~/Library/Application Support/coffer` on macOS,
 * `$XDG_DATA_HOME/coffer` or `~/.local/share/coffer` elsewhere. A function of its input alone.
 */
export function defaultVaultDirectory({ platform, env, homeDirectory }: DefaultDirectoryInput): string {
  if (platform === 'win32') {
    const appData = env['APPDATA'];
    const base = isFullWindowsPath(appData) ? appData : win32.join(homeDirectory, 'AppData', 'Roaming');
    return win32.join(base, 'coffer');
  }
  if (platform === 'darwin') return posix.join(homeDirectory, 'Library', 'Application Support', 'coffer');
  const dataHome = env['XDG_DATA_HOME'];
  // XDG Base Directory Specification: a path that is not absolute is invalid and to be ignored.
  const base =
    dataHome !== undefined && posix.isAbsolute(dataHome)
      ? dataHome
      : posix.join(homeDirectory, '.local', 'share');
  return posix.join(base, 'coffer');
}

// `\Users` is absolute to win32.isAbsolute, but on a drive that depends on the current folder.
function isFullWindowsPath(path: string | undefined): path is string {
  return path !== undefined && /^(?:[a-z]:[\\/]|\\\\)/i.test(path);
}
