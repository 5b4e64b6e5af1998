import { statSync } from 'node:fs';
import { DatabaseError } from './errors.ts';

/*
 * Which databases and locks this process holds. POSIX drops all locks that a process has on a file as soon as it closes any
 * descriptor of that file (fcntl(2)), so one look at the first bytes of an open database would let another process in.
 * Kept on the global object: two copies of this package in one process still are one process.
 */
const REGISTRY: unique symbol = Symbol.for('@coffer/database/open-files');
const holder: Partial<Record<symbol, Set<string>>> = globalThis;

function openFiles(): Set<string> {
  holder[REGISTRY] ??= new Set();
  return holder[REGISTRY];
}

/** Marks the file as held until the returned function is called. Throws `IN_USE` when it is held already. */
export function holdFile(path: string): () => void {
  const identity = identityOf(path);
  if (identity === undefined) throw new DatabaseError('NOT_FOUND', `${path} does not exist`);
  checkNotHeld(path);
  openFiles().add(identity);
  return () => {
    openFiles().delete(identity);
  };
}

/** Throws `IN_USE` when this process has the file open, under whatever name. */
export function checkNotHeld(path: string): void {
  const identity = identityOf(path);
  if (identity !== undefined && openFiles().has(identity)) {
    throw new DatabaseError('IN_USE', `${path} is open in this process already`);
  }
}

/** stat(2) opens nothing. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${String(stats.dev)}:${String(stats.ino)}`;
}
