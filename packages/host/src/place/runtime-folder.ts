import type { Stats } from 'node:fs';
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import process from 'node:process';

/** Where sockets of this user may be. */
export interface RuntimePlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Of this user; -1 where there are none. */
  readonly uid: number;
}

export function placesOfThisProcess(): RuntimePlaces {
  return { env: process.env, platform: process.platform, uid: process.geteuid?.() ?? -1 };
}

/**
 * The folders that sockets may be in, best first. All of them are looked into, because a command may have another environment than the `unlock` before it: one from cron has no
 * `XDG_RUNTIME_DIR`.
 */
export function runtimeFolders({ env, platform, uid }: RuntimePlaces): readonly string[] {
  if (platform === 'win32') {
    return [join(env['LOCALAPPDATA'] ?? join(userInfo().homedir, 'AppData', 'Local'), 'coffer', 'run')];
  }
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    ...new Set([
      ...(runtime !== undefined && isAbsolute(runtime) ? [join(runtime, 'coffer')] : []),
      `/run/user/${String(uid)}/coffer`,
      join(tmpdir(), `coffer-${String(uid)}`),
      `/tmp/coffer-${String(uid)}`,
    ]),
  ];
}

/** Makes a runtime folder if its parent is there. False if it can't be trusted with a socket. */
export function makeRuntimeFolder(folder: string, places: RuntimePlaces): boolean {
  try {
    if (!isTrustedParent(dirname(folder), places)) return false;
    mkdirSync(folder, { mode: 0o700, recursive: places.platform === 'win32' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) return false;
  }
  return isTrustedFolder(folder, places);
}

/** Whether a folder is there, no link, this user's, closed to all others, and can't be exchanged by them. */
export function isTrustedFolder(folder: string, places: RuntimePlaces): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return false;
  if (places.platform === 'win32') return true;
  return found.uid === places.uid && (found.mode & 0o077) === 0 && isTrustedParent(dirname(folder), places);
}

/** Whether others can't rename what this user has in a folder: it is the user's or root's, and closed to others or sticky. */
function isTrustedParent(folder: string, { platform, uid }: RuntimePlaces): boolean {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return false;
  if (platform === 'win32') return true;
  return (found.uid === uid || found.uid === 0) && (isClosed(found) || isSticky(found));
}

function isClosed({ mode }: Stats): boolean {
  return (mode & 0o022) === 0;
}

function isSticky({ mode }: Stats): boolean {
  return (mode & 0o1000) !== 0;
}
