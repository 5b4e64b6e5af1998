import { PAGE_SIZE_BYTES } from '../page-layout.ts';

/*
 * The log beside a database, read without SQLite and without the key: https://sqlite.org/fileformat.html#the_write_ahead_log. Pages are encrypted in it as they are in the file, and
 * the checksums are those of the encrypted pages.
 *
 *   log     magic u32 ‖ version u32 ‖ page size u32 ‖ number of this log u32 ‖ salts 8 ‖ checksums 8 ‖ frames
 *   frame   page number u32 ‖ pages of the database after this commit, 0 inside a transaction, u32 ‖ salts 8 ‖ checksums 8 ‖ page
 *
 * The checksums of a frame go on from those of the frame before, the first from those of the header.
 */

const HEADER_SIZE_BYTES = 32;
const SALTS_OFFSET = 16;
const HEADER_CHECKSUMS_OFFSET = 24;
const MAGIC_LITTLE_ENDIAN = 0x37_7f_06_82;
const MAGIC_BIG_ENDIAN = 0x37_7f_06_83;
const FRAME_HEADER_SIZE_BYTES = 24;
const FRAME_SALTS_OFFSET = 8;
const FRAME_CHECKSUMS_OFFSET = 16;
const SALTS_SIZE_BYTES = 8;
const FRAME_SIZE_BYTES: number = FRAME_HEADER_SIZE_BYTES + PAGE_SIZE_BYTES;
const FRAMES_AT_A_TIME = 64;

/** Reads `length` bytes at an offset of the log: fewer at its end. */
export type ReadAt = (offset: number, length: number) => Buffer;

/** A version of a page, in a transaction that was committed. */
export interface Frame {
  readonly pageNumber: number;
  /** Of the page, in the log; `undefined` when it is lost there. */
  readonly offset: number | undefined;
}

export interface WalFrames {
  /** In the order in which they were written. The pages of a damaged log may be damaged as well. */
  readonly frames: readonly Frame[];
  /** Of the database, after the last commit; `undefined` when there is none. */
  readonly pageCount: number | undefined;
  /** What SQLite goes by before it reads anything else. */
  readonly isHeaderWhole: boolean;
  /** There are commits that SQLite would not read. No crash does that: a commit is durable before the next one begins, and the header before the first. */
  readonly isDamaged: boolean;
}

type Checksums = readonly [first: number, second: number];

/** What was committed in a log, also beyond what is damaged in it. */
export function readWalFrames(readAt: ReadAt): WalFrames {
  const header = readAt(0, HEADER_SIZE_BYTES);
  const first = readAt(HEADER_SIZE_BYTES, FRAME_SIZE_BYTES);
  if (header.length < HEADER_SIZE_BYTES || first.length < FRAME_SIZE_BYTES)
    return { frames: [], pageCount: undefined, isHeaderWhole: false, isDamaged: false };
  const isHeaderWhole = isWhole(header);
  const isBigEndian = isHeaderWhole && header.readUInt32BE(0) === MAGIC_BIG_ENDIAN;
  const salts = isHeaderWhole ? saltsAt(header, SALTS_OFFSET) : saltsAt(first, FRAME_SALTS_OFFSET);
  const collected = new Collected(isHeaderWhole);
  /** What the next checksums go on from: those that are written and, should they be damaged, those that would be right. */
  let before: readonly Checksums[] = isHeaderWhole ? [checksumsAt(header, HEADER_CHECKSUMS_OFFSET)] : [];
  for (const [frame, offset] of framesOf(readAt)) {
    const hasSalts = saltsAt(frame, FRAME_SALTS_OFFSET).equals(salts);
    const written = checksumsAt(frame, FRAME_CHECKSUMS_OFFSET);
    const right = before.map((each) => checksumsOf(frame, each, isBigEndian));
    // Nothing is known of what comes before the first one where the header is damaged.
    const isFirst = !isHeaderWhole && offset === HEADER_SIZE_BYTES;
    const follows = isFirst || right.some((each) => areEqual(each, written));
    if (!hasSalts || !follows) collected.breakOff();
    // Else it is damage, or what an earlier log has left. The checksums leave out the salts.
    const isOwn = hasSalts || follows;
    collected.add(frame, isOwn ? offset + FRAME_HEADER_SIZE_BYTES : undefined);
    before = isOwn ? [written, ...(follows ? [] : right.slice(0, 1))] : [];
  }
  return collected.result();
}

function* framesOf(readAt: ReadAt): Generator<[frame: Buffer, offset: number], void> {
  for (let start = HEADER_SIZE_BYTES; ; start += FRAMES_AT_A_TIME * FRAME_SIZE_BYTES) {
    const some = readAt(start, FRAMES_AT_A_TIME * FRAME_SIZE_BYTES);
    for (let at = 0; at + FRAME_SIZE_BYTES <= some.length; at += FRAME_SIZE_BYTES)
      yield [some.subarray(at, at + FRAME_SIZE_BYTES), start + at];
    if (some.length < FRAMES_AT_A_TIME * FRAME_SIZE_BYTES) return;
  }
}

/** Tells what was committed from what a crash has left unfinished. */
class Collected {
  readonly #frames: Frame[] = [];
  #pageCount: number | undefined;
  readonly #isHeaderWhole: boolean;
  #isDamaged = false;
  /** Of a transaction that has no commit yet, or of which that is not certain. */
  #pending: Frame[] = [];
  /** Whether a commit counts as soon as it is there. After what does not follow on, it does when something follows on it: that was written when it was durable. */
  #isCertain = true;
  #committedPageCount = 0;

  constructor(isHeaderWhole: boolean) {
    this.#isHeaderWhole = isHeaderWhole;
  }

  /** The next frame does not follow on the one before. */
  breakOff(): void {
    this.#isCertain = false;
    this.#committedPageCount = 0;
  }

  /** `offset` is that of the page; `undefined` when this is no frame of this log. */
  add(frame: Buffer, offset: number | undefined): void {
    if (!this.#isCertain && this.#committedPageCount > 0) {
      this.#isCertain = true;
      this.#isDamaged = true;
      this.#commit();
    }
    this.#pending.push({ pageNumber: frame.readUInt32BE(0), offset });
    this.#committedPageCount = offset === undefined ? 0 : frame.readUInt32BE(4);
    if (this.#isCertain && this.#committedPageCount > 0) this.#commit();
  }

  result(): WalFrames {
    return {
      frames: this.#frames,
      pageCount: this.#pageCount,
      isHeaderWhole: this.#isHeaderWhole,
      isDamaged: this.#isDamaged || (!this.#isHeaderWhole && this.#frames.length > 0),
    };
  }

  #commit(): void {
    for (const frame of this.#pending) this.#frames.push(frame);
    this.#pending = [];
    this.#pageCount = this.#committedPageCount;
  }
}

function isWhole(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if (magic !== MAGIC_LITTLE_ENDIAN && magic !== MAGIC_BIG_ENDIAN) return false;
  const sums = addUp(header.subarray(0, HEADER_CHECKSUMS_OFFSET), [0, 0], magic === MAGIC_BIG_ENDIAN);
  return areEqual(sums, checksumsAt(header, HEADER_CHECKSUMS_OFFSET));
}

function checksumsOf(frame: Buffer, before: Checksums, isBigEndian: boolean): Checksums {
  const numbers = addUp(frame.subarray(0, FRAME_SALTS_OFFSET), before, isBigEndian);
  return addUp(frame.subarray(FRAME_HEADER_SIZE_BYTES), numbers, isBigEndian);
}

/** https://sqlite.org/fileformat.html#wal_file_format, "Checksum Algorithm" */
function addUp(bytes: Buffer, [first, second]: Checksums, isBigEndian: boolean): Checksums {
  for (let offset = 0; offset < bytes.length; offset += 8) {
    first = (first + (isBigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset)) + second) >>> 0;
    second =
      (second + (isBigEndian ? bytes.readUInt32BE(offset + 4) : bytes.readUInt32LE(offset + 4)) + first) >>>
      0;
  }
  return [first, second];
}

/** They are stored big-endian, whatever they are made of. */
function checksumsAt(bytes: Buffer, offset: number): Checksums {
  return [bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4)];
}

function saltsAt(bytes: Buffer, offset: number): Buffer {
  return bytes.subarray(offset, offset + SALTS_SIZE_BYTES);
}

function areEqual(a: Checksums, b: Checksums): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
