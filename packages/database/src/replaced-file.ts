import { closeSync, fstatSync, linkSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './build-file.ts';
import { overwriteSlowly, shredWhole, shredWholeSlowly } from './shred-whole.ts';

/** Ends the keeping of an old file. `isReplaced`: another one has its name, durably, and the old one is overwritten, in turns with whatever else this process does. Never rejects. */
export type Settle = (isReplaced: boolean) => Promise<void>;

/**
 * Keeps hold of a file that is about to lose its name: by a second one, so that it is found and overwritten whatever happens in between. Where there are no
 * hard links, by a descriptor; and not on Windows, where an open file can't be replaced (docs/decisions/0029).
 */
export function keepReplaced(path: string): Settle {
  settleReplaced(path);
  try {
    linkSync(path, replacedPath(path));
  } catch {
    return process.platform === 'win32' ? () => Promise.resolve() : keepOpen(path);
  }
  try {
    syncFolder(dirname(path));
  } catch (error) {
    dropSecondName(path);
    throw error;
  }
  return async (isReplaced) => {
    if (!isReplaced) {
      dropSecondName(path);
      return;
    }
    try {
      await shredWholeSlowly(replacedPath(path));
      syncFolder(dirname(path));
    } catch {
      // The database has its new key all the same, and the next opening finds this.
    }
  };
}

/** Finishes or undoes what was cut short. What can't be done now is tried again the next time. */
export function settleReplaced(path: string): void {
  if (dropSecondName(path)) return;
  try {
    // Until the new name is durable a loss of power may bring the old file back.
    syncFolder(dirname(path));
  } catch {
    return;
  }
  shredReplaced(path);
}

function replacedPath(path: string): string {
  return `${path}.replaced`;
}

/** `false` when the second name is that of another file, which is to be shredded. Opens nothing: the file may be the database that is open. */
function dropSecondName(path: string): boolean {
  try {
    const options = { bigint: true, throwIfNoEntry: false } as const;
    const [current, replaced] = [lstatSync(path, options), lstatSync(replacedPath(path), options)];
    if (replaced === undefined) return true;
    if (current?.dev !== replaced.dev || current.ino !== replaced.ino) return current === undefined;
    unlinkSync(replacedPath(path));
  } catch {
    // It has no effect but to be there.
  }
  return true;
}

function shredReplaced(path: string): void {
  try {
    shredWhole(replacedPath(path));
    syncFolder(dirname(path));
  } catch {
    // The next opening finds it again.
  }
}

function keepOpen(path: string): Settle {
  const descriptor = openSync(path, 'r+');
  return async (isReplaced) => {
    try {
      // Unless somebody has another name for it.
      if (isReplaced && fstatSync(descriptor).nlink === 0) await overwriteSlowly(descriptor);
    } catch {
      // What is left of the old one is what any copy of it is.
    } finally {
      closeSync(descriptor);
    }
  };
}
