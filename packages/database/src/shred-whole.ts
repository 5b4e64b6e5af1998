import {
  closeSync,
  fsync,
  write,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

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

/** The same, in turns with whatever else this process does: a large file takes its time. */
export async function shredWholeSlowly(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isFile() && stats.nlink === 1) {
    const descriptor = openSync(path, 'r+');
    try {
      await overwriteSlowly(descriptor);
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

/** The same, in turns with whatever else this process does. */
export async function discardCopySlowly(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  try {
    await shredWholeSlowly(path);
  } catch {
    rmSync(path, { force: true });
  }
}

/** Overwrites an open file with zeros, and syncs it. */
export async function overwriteSlowly(descriptor: number): Promise<void> {
  const { size } = fstatSync(descriptor);
  const zeros = new Uint8Array(Math.min(size, STEP_BYTES));
  for (let done = 0; done < size;) {
    const length = Math.min(zeros.length, size - done);
    done += await settled<number>((callback) => {
      write(descriptor, zeros, 0, length, done, callback);
    });
  }
  await settled<undefined>((callback) => {
    fsync(descriptor, callback);
  });
}

/** `promisify` comes from node:util, which makes the standard streams of whoever imports this. */
function settled<T>(start: (callback: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result as T);
      else reject(error);
    });
  });
}

function overwrite(descriptor: number): void {
  const { size } = fstatSync(descriptor);
  const zeros = new Uint8Array(Math.min(size, STEP_BYTES));
  for (let done = 0; done < size;) {
    done += writeSync(descriptor, zeros, 0, Math.min(zeros.length, size - done), done);
  }
  fsyncSync(descriptor);
}
