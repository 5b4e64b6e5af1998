import { randomBytes } from 'node:crypto';
import { statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { discardFileSlowly } from './build-file.ts';
import { ASIDE_FROM_BYTES, askForCopy } from './copy-aside.ts';

/** What the raw copies of a check are named after. */
export function checkedPath(path: string): string {
  return `${path}.check`;
}

export interface CheckAsideOptions {
  readonly path: string;
  readonly key: Uint8Array;
  /** Empties the log and keeps the file as it is until the result is called. */
  readonly freeze: () => () => void;
  readonly signal: AbortSignal;
}

/**
 * Whether a process of its own has found nothing wrong with the structure of a large database that is open here. What is wrong, the database itself has to say, and
 * not a copy of it: `false` also stands for all that keeps such a process from knowing. Throws the signal's reason.
 */
export async function isProvenSound({ path, key, freeze, signal }: CheckAsideOptions): Promise<boolean> {
  signal.throwIfAborted();
  try {
    if (!canCheckAside(path)) return false;
    const release = freeze();
    try {
      await check(path, key, signal);
      return true;
    } finally {
      release();
    }
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Whether it is worth a process, and whether the disk has space for a copy of it, and leaves as much to those who write meanwhile. */
function canCheckAside(path: string): boolean {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes < ASIDE_FROM_BYTES) return false;
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize >= 2 * sizeBytes;
}

async function check(path: string, key: Uint8Array, signal: AbortSignal): Promise<void> {
  const rawPath = `${checkedPath(path)}.${randomBytes(8).toString('hex')}.raw`;
  try {
    await askForCopy({ key, path, rawPath }, signal, `the check of ${path}`);
  } catch (error) {
    await discardFileSlowly(rawPath);
    throw error;
  }
}
