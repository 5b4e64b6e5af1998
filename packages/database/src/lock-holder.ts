import { readFileSync, readdirSync, statSync } from 'node:fs';

/** `1: POSIX  ADVISORY  WRITE 1234 fe:00:2424851 1073741824 1073742335`: see proc_locks(5). */
const LOCK = /^\d+: POSIX +ADVISORY +WRITE +([1-9]\d{0,9}) [0-9a-f]+:[0-9a-f]+:(\d+) /gm;

/**
 * The number of the process that holds a lock on the file, where the operating system tells: Linux, for processes of the same user. The file is looked at, never opened.
 */
export function findLockHolder(path: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    for (const [, pid = '', inode = ''] of readFileSync('/proc/locks', 'latin1').matchAll(LOCK)) {
      // The device there is not that of stat(2) on every file system, so it is asked what the process has open.
      if (BigInt(inode) === ino && hasOpen(pid, { dev, ino })) return Number(pid);
    }
  } catch {
    // Then it is not known.
  }
  return undefined;
}

function hasOpen(pid: string, file: { readonly dev: bigint; readonly ino: bigint }): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((name) => {
    const found = statSync(`${folder}/${name}`, { bigint: true, throwIfNoEntry: false });
    return found?.dev === file.dev && found.ino === file.ino;
  });
}
