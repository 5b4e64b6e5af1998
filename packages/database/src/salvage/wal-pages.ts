import { PAGE_SIZE_BYTES } from '../page-layout.ts';

/*
 * The log beside a database that SQLite can't open: https://sqlite.org/fileformat.html#the_write_ahead_log. Pages are encrypted in it as they are in the
 * file; the checksums of its frames are those of pages in clear, and not needed, since each page has an HMAC with its number in it.
 *
 *   log     header 32 ‖ frames
 *   frame   page number u32 ‖ pages of the database after this commit, 0 inside a transaction, u32 ‖ salts 8 ‖ checksums 8 ‖ page
 */

const HEADER_SIZE_BYTES = 32;
const HEADER_SALTS_OFFSET = 16;
const HEADER_CHECKSUMS_OFFSET = 24;
const MAGIC_LITTLE_ENDIAN = 0x37_7f_06_82;
const MAGIC_BIG_ENDIAN = 0x37_7f_06_83;
const FRAME_HEADER_SIZE_BYTES = 24;
const FRAME_SALTS_OFFSET = 8;
const SALTS_SIZE_BYTES = 8;
const FRAME_SIZE_BYTES: number = FRAME_HEADER_SIZE_BYTES + PAGE_SIZE_BYTES;

/** What the transactions in a log made of the database. */
export interface WalPages {
  /** Where in the log the last committed version of a page begins, by the page's number. */
  readonly offsets: ReadonlyMap<number, number>;
  /** After the last commit; `undefined` when there is none. */
  readonly pageCount: number | undefined;
  /** Whether SQLite reads the log at all: it goes by the checksum of the header. */
  readonly isHeaderWhole: boolean;
}

/** Reads `length` bytes at an offset of the log: fewer at its end. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** Finds what was committed, up to the first frame that is not of this log or not authentic, where SQLite would stop, too. */
export function findWalPages(
  readAt: ReadAt,
  isAuthentic: (page: Buffer, pageNumber: number) => boolean,
): WalPages {
  const offsets = new Map<number, number>();
  let pageCount: number | undefined;
  const header = readAt(0, HEADER_SIZE_BYTES);
  if (header.length < HEADER_SIZE_BYTES) return { offsets, pageCount, isHeaderWhole: false };
  const isHeaderWhole = hasRightChecksums(header);
  const salts = header.subarray(HEADER_SALTS_OFFSET, HEADER_SALTS_OFFSET + SALTS_SIZE_BYTES);
  const pending = new Map<number, number>();
  for (let offset = HEADER_SIZE_BYTES; ; offset += FRAME_SIZE_BYTES) {
    const frame = readAt(offset, FRAME_SIZE_BYTES);
    if (frame.length < FRAME_SIZE_BYTES) break;
    const frameSalts = frame.subarray(FRAME_SALTS_OFFSET, FRAME_SALTS_OFFSET + SALTS_SIZE_BYTES);
    const pageNumber = frame.readUInt32BE(0);
    if (!frameSalts.equals(salts) || !isAuthentic(frame.subarray(FRAME_HEADER_SIZE_BYTES), pageNumber)) break;
    pending.set(pageNumber, offset + FRAME_HEADER_SIZE_BYTES);
    const pagesAfterCommit = frame.readUInt32BE(4);
    if (pagesAfterCommit === 0) continue;
    for (const [number, at] of pending) offsets.set(number, at);
    pending.clear();
    pageCount = pagesAfterCommit;
  }
  return { offsets, pageCount, isHeaderWhole };
}

/** https://sqlite.org/fileformat.html#wal_file_format, "Checksum Algorithm": its numbers are in the byte order that the magic says, the sums big-endian. */
function hasRightChecksums(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) return false;
  const read = (offset: number): number =>
    magic === MAGIC_BIG_ENDIAN ? header.readUInt32BE(offset) : header.readUInt32LE(offset);
  let [first, second] = [0, 0];
  for (let offset = 0; offset < HEADER_CHECKSUMS_OFFSET; offset += 8) {
    first = (first + read(offset) + second) >>> 0;
    second = (second + read(offset + 4) + first) >>> 0;
  }
  return (
    header.readUInt32BE(HEADER_CHECKSUMS_OFFSET) === first &&
    header.readUInt32BE(HEADER_CHECKSUMS_OFFSET + 4) === second
  );
}
