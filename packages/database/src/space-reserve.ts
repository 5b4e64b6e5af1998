import { randomBytes } from 'node:crypto';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { readSalt } from './encrypted-file.ts';
import { saltCopyPath } from './salt-copy.ts';

/** Deleting a file of 100 KB writes 26 zeroed pages and a few others to the WAL: some 170 KB. */
const RESERVE_SIZE_BYTES = 1024 * 1024;

/** Whether the space is set aside for the database at this path. */
export function hasReserve(databasePath: string): boolean {
  return sizeOf(saltCopyPath(databasePath)) === RESERVE_SIZE_BYTES;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Space that is set aside while there is some, in a file beside the database, so that deleting works on a full disk: SQLite writes
 * before it frees. Nothing here ever throws: without a reserve everything works that works without one. It begins with a copy of the database's salt, without which no page
 * can be told from a damaged one, and which otherwise is on the first page alone.
 */
export class SpaceReserve {
  readonly path: string;
  #salt: Uint8Array;

  /** `salt`: the first 16 bytes of the database. */
  constructor(databasePath: string, salt: Uint8Array) {
    this.path = saltCopyPath(databasePath);
    this.#salt = salt;
  }

  /** Makes the reserve unless it is there. It is whole or not there: what does not fit is given back. `salt` is the database's, where it may be another than before. */
  keep(salt?: Uint8Array): void {
    this.#salt = salt ?? this.#salt;
    try {
      if (this.#sizeBytes() === RESERVE_SIZE_BYTES) {
        if (!readSalt(this.path).equals(this.#salt)) this.#write('r+', this.#salt);
        return;
      }
      rmSync(this.path, { force: true });
      // Not zeros, which a file system that compresses would store nowhere. Not synced: a crash may cost the reserve, not the space.
      this.#write('wx', Buffer.concat([this.#salt, randomBytes(RESERVE_SIZE_BYTES - this.#salt.length)]));
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

  #write(flags: 'wx' | 'r+', bytes: Uint8Array): void {
    const descriptor = openSync(this.path, flags, 0o600);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    } finally {
      closeSync(descriptor);
    }
  }
}
