import { PAGE_SIZE_BYTES } from '../page-layout.ts';
import { parseFileHeader } from './file-header.ts';
import type { FileHeader } from './file-header.ts';
import { readWalFrames } from './wal-frames.ts';
import type { ReadAt } from './wal-frames.ts';

/**
 * - `damaged`: there are commits that SQLite would not read, and lose, or that it would read in part.
 * - `foreign`: it was not written on top of this file as it is now, but of another one, or of an older or newer state of it. SQLite takes its pages all the same.
 */
export type LogProblem = 'damaged' | 'foreign';

/** What a log that was left behind has of a database. */
export interface LeftLog {
  /** Where in the log the last committed version of a page is, by the page's number. */
  readonly offsets: ReadonlyMap<number, number>;
  /** Pages of which the last version is damaged in the log, and an earlier one counts. */
  readonly outdated: ReadonlySet<number>;
  /** Of the database, after the last commit; `undefined` when the log says nothing. */
  readonly pageCount: number | undefined;
  readonly problem: LogProblem | undefined;
}

/** The file that the log is beside. */
export interface PageSource {
  isAuthentic(page: Buffer, pageNumber: number): boolean;
  /** Of an authentic page. */
  decrypt(page: Buffer, pageNumber: number): Buffer;
  /** In clear, from the file itself; `undefined` when it is damaged or not there. */
  read(pageNumber: number): Buffer | undefined;
}

const NOTHING: LeftLog = {
  offsets: new Map(),
  outdated: new Set(),
  pageCount: undefined,
  problem: undefined,
};

export function examineLog(readAt: ReadAt, file: PageSource): LeftLog {
  const { frames, pageCount, isHeaderWhole, isDamaged } = readWalFrames(readAt);
  if (frames.length === 0) return NOTHING;
  const offsets = new Map<number, number>();
  const outdated = new Set<number>();
  /** Of the versions of the first page; `undefined` for what may have been one. */
  const headers: (FileHeader | undefined)[] = [];
  for (const { pageNumber, offset } of frames) {
    const page = offset === undefined ? Buffer.alloc(0) : readAt(offset, PAGE_SIZE_BYTES);
    if (offset === undefined || !file.isAuthentic(page, pageNumber)) {
      outdated.add(pageNumber);
      headers.push(undefined);
      continue;
    }
    offsets.set(pageNumber, offset);
    outdated.delete(pageNumber);
    if (pageNumber === 1) headers.push(parseFileHeader(file.decrypt(page, 1)));
  }
  if (offsets.size === 0 || !areOfFile(headers, file)) return { ...NOTHING, problem: 'foreign' };
  if (!isDamaged) return { offsets, outdated, pageCount, problem: undefined };
  const isInFile = [...offsets].every(([number, offset]) => {
    const page = readAt(offset, PAGE_SIZE_BYTES);
    return file.read(number)?.equals(file.decrypt(page, number)) === true;
  });
  if (!isInFile) return { offsets, outdated, pageCount, problem: 'damaged' };
  // It was moved into the file before, with what is damaged now. Without its header SQLite takes nothing from it; else it would take what is older than the file.
  return { ...NOTHING, problem: isHeaderWhole ? 'damaged' : undefined };
}

/**
 * A log begins with the commit after the last one in the file, or with one that is not counted, and the file has at most the commits that the log has. Where they are not counted, all numbers are the same. A backup has
 * a higher schema cookie than the database that it is of, whose pages are in other places.
 */
function areOfFile(headers: readonly (FileHeader | undefined)[], file: PageSource): boolean {
  const page = file.read(1);
  const [first, last] = [headers[0], headers.findLast((each) => each !== undefined)];
  if (page === undefined || last === undefined) return true;
  const inFile = parseFileHeader(page);
  return (
    (first === undefined || first.commitCount <= inFile.commitCount + 1) &&
    inFile.commitCount <= last.commitCount &&
    inFile.schemaCookie <= last.schemaCookie
  );
}
