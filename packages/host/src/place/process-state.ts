import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/*
 * What Linux tells of the processes of the same user: see proc_pid_stat(5), proc_net(5) and proc_pid_fd(5). Elsewhere, and where it can't be read, nothing is known.
 */

/** Whether a process is stopped by a signal. One that a debugger has stopped for a moment is not. */
export function isStopped(pid: number): boolean {
  // The name of the program before it may have anything in it.
  const stat = read(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')')).startsWith(') T ');
}

/** The stopped process that has a socket that was bound to that path. Reads one line of every process, and more of those that are stopped. */
export function findStoppedHolder(path: string): number | undefined {
  return listNames('/proc')
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .find((pid) => isStopped(pid) && hasSocketOf(pid, path));
}

/** When a process began, which tells it from a later one of the same number; `undefined` when it has ended. */
export function startOf(pid: number): string | undefined {
  const stat = read(pid, 'stat');
  const [state = 'X', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Ended, and not waited for by its parent.
  return 'ZX'.includes(state) ? undefined : fields[18];
}

/** Whether a process has a socket that was bound to that path, or to the one that it was renamed from. */
export function hasSocketOf(pid: number, path: string): boolean {
  const inodes = new Set<string>();
  for (const line of read(pid, 'net/unix').split('\n')) {
    const [, inode, bound] = /^(?:\S+ +){6}(\d+) (.+)$/.exec(line) ?? [];
    if (inode !== undefined && (bound === path || bound === `${path}.new`)) inodes.add(inode);
  }
  if (inodes.size === 0) return false;
  const folder = `/proc/${String(pid)}/fd`;
  return listNames(folder).some((name) => {
    const inode = /^socket:\[(\d+)\]$/.exec(readLink(`${folder}/${name}`))?.[1];
    return inode !== undefined && inodes.has(inode);
  });
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${String(pid)}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
