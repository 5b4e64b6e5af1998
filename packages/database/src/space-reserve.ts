import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';

/** Deleting a file of 100 KB writes 26 zeroed pages and a few others to the WAL: some 170 KB. */
const RESERVE_SIZE_BYTES = 1024 * 1024;

/** Whether the space is set aside for the database at this path. */
export function hasReserve(databasePath: string): boolean {
  return sizeOf(`${databasePath}.reserve`) === RESERVE_SIZE_BYTES;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Space that is set aside while there is some, in a file beside the database, so that deleting works on a full disk: SQLite writes
 * before it frees. Nothing here ever throws: without a reserve everything works that works without one.
 */
export class SpaceReserve {
  readonly path: string;

  constructor(databasePath: string) {
    this.path = `${databasePath}.reserve`;
  }

  /** Makes the reserve unless it is there. It is whole or not there: what does not fit is given back. */
  keep(): void {
    try {
      if (this.#sizeBytes() === RESERVE_SIZE_BYTES) return;
      rmSync(this.path, { force: true });
      this.#fill();
    } catch {
      this.giveBack();
    }
  }

  /** Gives the space back to the file system; `false` when there was nothing to give. */
  giveBack(): boolean {
    try {
      const had = this.#sizeBytes() > 0;
      rmSync(this.path, { force: true });
      return had;
    } catch {
      return false;
    }
  }

  #sizeBytes(): number {
    return sizeOf(this.path);
  }

  #fill(): void {
    const descriptor = openSync(this.path, 'wx', 0o600);
    try {
      // Not zeros, which a file system that compresses would store nowhere. Not synced: a crash may cost the reserve, not the space.
      const bytes = randomBytes(RESERVE_SIZE_BYTES);
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    } finally {
      closeSync(descriptor);
    }
  }
}
