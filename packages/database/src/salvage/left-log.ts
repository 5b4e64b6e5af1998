import { PAGE_SIZE_BYTES } from '../page-layout.ts';
import { parseFileHeader } from './file-header.ts';
import type { FileHeader } from './file-header.ts';
import { readWalFrames } from './wal-frames.ts';
import type { Frame, ReadAt, WalFrames } from './wal-frames.ts';

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
  const wal = readWalFrames(readAt);
  const { frames, pageCount, isHeaderWhole, isDamaged } = wal;
  if (frames.length === 0) return NOTHING;
  const readPage = ({ pageNumber, offset }: Frame): Buffer | undefined => {
    if (offset === undefined) return undefined;
    const page = readAt(offset, PAGE_SIZE_BYTES);
    return file.isAuthentic(page, pageNumber) ? file.decrypt(page, pageNumber) : undefined;
  };
  if (!frames.some((frame) => readPage(frame) !== undefined))
    // SQLite takes nothing from a log without its header; and this may be anything.
    return { ...NOTHING, problem: isHeaderWhole ? 'foreign' : undefined };
  if (!isOfFile(wal, readPage, file)) return { ...NOTHING, problem: 'foreign' };
  const { offsets, outdated } = lastVersions(frames, (frame) => !isDamaged || readPage(frame) !== undefined);
  if (!isDamaged) return { offsets, outdated, pageCount, problem: undefined };
  const isInFile = [...offsets].every(([pageNumber, offset]) => {
    const page = readPage({ pageNumber, offset });
    return page !== undefined && file.read(pageNumber)?.equals(page) === true;
  });
  if (!isInFile) return { offsets, outdated, pageCount, problem: 'damaged' };
  // It was moved into the file before, with what is damaged now. Without its header SQLite takes nothing from it; else it would take what is older than the file.
  return { ...NOTHING, problem: isHeaderWhole ? 'damaged' : undefined };
}

function lastVersions(
  frames: readonly Frame[],
  isWhole: (frame: Frame) => boolean,
): Pick<LeftLog, 'offsets' | 'outdated'> {
  const offsets = new Map<number, number>();
  const outdated = new Set<number>();
  for (const frame of frames) {
    const { pageNumber, offset } = frame;
    if (offset === undefined || !isWhole(frame)) {
      outdated.add(pageNumber);
      continue;
    }
    offsets.set(pageNumber, offset);
    outdated.delete(pageNumber);
  }
  return { offsets, outdated };
}

/**
 * Of one whose pages are authentic under the salt of the file. It begins with the commit after the last one in the file, or with one that is not counted, and the file has at most the commits that the log has. Where they are
 * not counted, all numbers are the same. A backup has a higher schema cookie than the database that it is of, whose pages are in other places.
 */
function isOfFile(
  { frames, isDamaged }: WalFrames,
  readPage: (frame: Frame) => Buffer | undefined,
  file: PageSource,
): boolean {
  const page = file.read(1);
  const inFile = page === undefined ? undefined : parseFileHeader(page);
  const versions = frames.filter(({ pageNumber }) => pageNumber === 1);
  const last = firstHeader(versions.toReversed(), readPage);
  if (inFile === undefined || last === undefined) return true;
  if (inFile.commitCount > last.commitCount || inFile.schemaCookie > last.schemaCookie) return false;
  // Where something is damaged, the first version may be lost.
  const first = isDamaged ? undefined : firstHeader(versions, readPage);
  return first === undefined || first.commitCount <= inFile.commitCount + 1;
}

/** Of the first of the versions that is authentic. */
function firstHeader(
  versions: readonly Frame[],
  readPage: (frame: Frame) => Buffer | undefined,
): FileHeader | undefined {
  for (const version of versions) {
    const page = readPage(version);
    if (page !== undefined) return parseFileHeader(page);
  }
  return undefined;
}
