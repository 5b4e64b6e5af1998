import { statSync } from 'node:fs';
import { DatabaseError } from './errors.ts';

/*
 * Which databases and locks this process holds. POSIX drops all locks that a process has on a file as soon as it closes any
 * descriptor of that file (fcntl(2)), so one look at the first bytes of an open database would let another process in.
 * Kept on the global object: two copies of this
 * package in one process still are one process. Threads do not share it: for them it is the owner lock that counts.
 */
const REGISTRY: unique symbol = Symbol.for('@coffer/database/open-files');
const holder: Partial<Record<symbol, Map<string, HeldFile>>> = globalThis;

/** A file that this process holds until `release` is called. */
export interface HeldFile {
  readonly release: () => void;
  /** Keeps the file from changing until the returned function is called; nothing when it never changes. */
  freeze?: () => () => void;
}

/** Marks the file as held. Throws `IN_USE` when it is held already. */
export function holdFile(path: string): HeldFile {
  const identity = identityOf(path);
  if (identity === undefined) throw new DatabaseError('NOT_FOUND', `${path} does not exist`);
  checkNotHeld(path);
  const held: HeldFile = {
    release: () => {
      heldFiles().delete(identity);
    },
  };
  heldFiles().set(identity, held);
  return held;
}

/** Throws `IN_USE` when this process holds the file, under whatever name. */
export function checkNotHeld(path: string): void {
  if (findHeldFile(path) !== undefined) {
    throw new DatabaseError('IN_USE', `${path} is open in this process already`);
  }
}

export function findHeldFile(path: string): HeldFile | undefined {
  const identity = identityOf(path);
  return identity === undefined ? undefined : heldFiles().get(identity);
}

function heldFiles(): Map<string, HeldFile> {
  holder[REGISTRY] ??= new Map();
  return holder[REGISTRY];
}

/** stat(2) opens nothing. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${String(stats.dev)}:${String(stats.ino)}`;
}
