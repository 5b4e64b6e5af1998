import { closeSync, openSync, statSync } from 'node:fs';
import { checkKeySize } from '../cipher-key.ts';
import { corrupt } from '../errors.ts';
import type { DatabaseError } from '../errors.ts';
import { unreadable } from '../keyed-connection.ts';
import { PAGE_SIZE_BYTES, SALT_SIZE_BYTES, derivePageHmacKey, isPageAuthentic } from '../page-layout.ts';
import { DamagedFile } from './damaged-file.ts';
import { readerOf } from './read-bytes.ts';
import { readWalFrames } from './wal-frames.ts';
import type { ReadAt } from './wal-frames.ts';

/**
 * Looks at a log that was left behind, before SQLite may touch it: SQLite removes one whose header is damaged, forgets what comes after a damaged frame, takes pages that are not of this file, and removes the log of a database whose
 * first page is damaged, unless the log has it. Throws `CORRUPT` for the first three, and `WRONG_KEY` for the last, which looks as if it were another key's. Never to be called while this process has the database open.
 */
export function checkLog(path: string, key: Uint8Array, label: string): void {
  const before = stateOf(path);
  const problem = problemWith(path, key, label);
  // Else somebody has it open and writes, which may look like damage: SQLite says so.
  if (problem !== undefined && stateOf(path) === before) throw problem;
}

function problemWith(path: string, key: Uint8Array, label: string): DatabaseError | undefined {
  checkKeySize(key);
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log?.isFile() !== true || log.size === 0) return undefined;
  if (!hasFirstPage(path, key)) return unreadable(path, label);
  using file = DamagedFile.open(path, key);
  if (file.logProblem === undefined) return undefined;
  return corrupt(
    file.logProblem === 'damaged'
      ? `${label}-wal is damaged, and has what was stored last: opening ${label} would lose it`
      : `${label}-wal was not written on top of ${label} as it is now: opening it would mix two states of the database`,
  );
}

/** Whether SQLite would find an authentic first page: a checkpoint that the power cut short leaves it torn in the file, and whole in the log. */
function hasFirstPage(path: string, key: Uint8Array): boolean {
  using file = openFile(path);
  const page = file.readAt(0, PAGE_SIZE_BYTES);
  if (page.length < PAGE_SIZE_BYTES) return false;
  const hmacKey = derivePageHmacKey(key, page.subarray(0, SALT_SIZE_BYTES));
  if (isPageAuthentic(hmacKey, page, 1)) return true;
  using log = openFile(`${path}-wal`);
  const { frames } = readWalFrames(log.readAt);
  return frames.some(
    ({ pageNumber, offset }) =>
      pageNumber === 1 &&
      offset !== undefined &&
      isPageAuthentic(hmacKey, log.readAt(offset, PAGE_SIZE_BYTES), 1),
  );
}

function openFile(path: string): Disposable & { readonly readAt: ReadAt } {
  const descriptor = openSync(path, 'r');
  return {
    readAt: readerOf(descriptor),
    [Symbol.dispose]: () => {
      closeSync(descriptor);
    },
  };
}

function stateOf(path: string): string {
  return ['', '-wal']
    .map((end) => {
      const stats = statSync(`${path}${end}`, { bigint: true, throwIfNoEntry: false });
      return stats === undefined ? '' : `${String(stats.size)} ${String(stats.mtimeNs)} ${String(stats.ino)}`;
    })
    .join('\n');
}
