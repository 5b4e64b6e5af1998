import { closeSync, fstatSync, fsyncSync, lstatSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';

const STEP_BYTES = 1024 * 1024;

/**
 * Overwrites a file with zeros, as far as the medium lets that reach what was there, syncs and removes it. One that has another name as well only
 * loses this one: somebody's hard link is a copy like any other, and not ours to destroy. Nothing when there is none.
 */
export function shredWhole(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isFile() && stats.nlink === 1) {
    const descriptor = openSync(path, 'r+');
    try {
      overwrite(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
  unlinkSync(path);
}

/** The same for a copy that nobody has used: what can't be overwritten is removed all the same. A folder is no copy, and left alone. */
export function discardCopy(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  try {
    shredWhole(path);
  } catch {
    rmSync(path, { force: true });
  }
}

/** Overwrites an open file with zeros, and syncs it. */
export function overwrite(descriptor: number): void {
  const { size } = fstatSync(descriptor);
  const zeros = new Uint8Array(Math.min(size, STEP_BYTES));
  for (let done = 0; done < size;) {
    done += writeSync(descriptor, zeros, 0, Math.min(zeros.length, size - done), done);
  }
  fsyncSync(descriptor);
}
