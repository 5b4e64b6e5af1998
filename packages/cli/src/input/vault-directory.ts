import { join, posix, resolve, win32 } from 'node:path';
import type { Host } from '../host.ts';

/**
 * The folder of the vault: --vault, else COFFER_VAULT, else the application data folder of the operating system:
 * `$XDG_DATA_HOME/coffer` (`~/.local/share/coffer`), `~/Library/Application Support/coffer`, `%APPDATA%\coffer`.
 */
export function chooseVaultDirectory(
  option: string | undefined,
  host: Pick<Host, 'env' | 'platform' | 'homeDirectory'>,
): string {
  return resolve(option ?? (host.env['COFFER_VAULT'] || defaultVaultDirectory(host)));
}

function defaultVaultDirectory({
  env,
  platform,
  homeDirectory,
}: Pick<Host, 'env' | 'platform' | 'homeDirectory'>): string {
  if (platform === 'win32') {
    return win32.join(env['APPDATA'] || win32.join(homeDirectory, 'AppData', 'Roaming'), 'coffer');
  }
  if (platform === 'darwin') return posix.join(homeDirectory, 'Library', 'Application Support', 'coffer');
  const dataHome = env['XDG_DATA_HOME'];
  // XDG Base Directory Specification: a path that is not absolute is to be ignored.
  const base = dataHome?.startsWith('/') ? dataHome : join(homeDirectory, '.local', 'share');
  return posix.join(base, 'coffer');
}
