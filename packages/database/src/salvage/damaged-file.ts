import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseError } from '../errors.ts';
import { LOCK_BYTE_PAGE, PAGE_SIZE_BYTES, SALT_SIZE_BYTES } from '../page-layout.ts';
import { decryptPage, derivePageHmacKey, isPageAuthentic } from '../page-layout.ts';
import { readSaltCopy } from '../space-reserve.ts';
import { toDatabaseError } from '../translate-error.ts';
import { findWalPages } from './wal-pages.ts';
import type { ReadAt, WalPages } from './wal-pages.ts';

/** In the header of SQLite's file, in the first page: https://sqlite.org/fileformat.html#the_database_header */
const PAGE_COUNT_OFFSET = 28;
const USER_VERSION_OFFSET = 60;
const APPLICATION_ID_OFFSET = 68;

const PAGES_AT_A_TIME = 512;

/** What the first page says of the database. */
export interface FileHeader {
  readonly pageCount: number;
  readonly schemaVersion: number;
  readonly commitCount: number;
}

/** A database file and its log, read page by page without SQLite. Gives out nothing that is not authentic. The key is the caller's. */
export class DamagedFile implements Disposable {
  readonly #descriptor: number;
  readonly #logDescriptor: number | undefined;
  readonly #key: Uint8Array;
  readonly #hmacKey: KeyObject;
  readonly #wal: WalPages;
  /** Whether the first page is authentic with the copy of its salt alone. */
  readonly isSaltDamaged: boolean;
  /** `undefined` when the first page is damaged. */
  readonly header: FileHeader | undefined;
  readonly pageCount: number;

  private constructor(path: string, key: Uint8Array) {
    this.#descriptor = openSync(path, 'r');
    try {
      this.#logDescriptor = openLog(`${path}-wal`);
      this.#key = key;
      const filePages = Math.ceil(fstatSync(this.#descriptor).size / PAGE_SIZE_BYTES);
      const found = this.#findHmacKey(path, filePages);
      this.#hmacKey = found.hmacKey;
      this.isSaltDamaged = found.isCopy;
      this.#wal =
        this.#logDescriptor === undefined
          ? { offsets: new Map(), pageCount: undefined, isHeaderWhole: true }
          : findWalPages(readerOf(this.#logDescriptor), (page, number) => this.#isAuthentic(page, number));
      this.header = this.#readHeader();
      // The header is authentic, and what a frame of the log says is not: it says at most how much of what is there counts.
      let available = filePages;
      for (const number of this.#wal.offsets.keys()) available = Math.max(available, number);
      this.pageCount = this.header?.pageCount ?? Math.min(this.#wal.pageCount ?? available, available);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Throws `WRONG_KEY` when no page of it opens with this key. */
  static open(path: string, key: Uint8Array): DamagedFile {
    return new DamagedFile(path, key);
  }

  /** A page in clear, in its last committed version; `undefined` when it is damaged or not there. */
  read(pageNumber: number): Buffer | undefined {
    if (pageNumber < 1 || pageNumber === LOCK_BYTE_PAGE) return undefined;
    const inLog = this.#wal.offsets.get(pageNumber);
    const page =
      inLog === undefined || this.#logDescriptor === undefined
        ? readAt(this.#descriptor, (pageNumber - 1) * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES)
        : readAt(this.#logDescriptor, inLog, PAGE_SIZE_BYTES);
    return this.#isAuthentic(page, pageNumber) ? decryptPage(this.#key, page, pageNumber) : undefined;
  }

  /** Whether there is a log with commits that SQLite does not read, and removes. */
  get isLogUnread(): boolean {
    return !this.#wal.isHeaderWhole && this.#wal.offsets.size > 0;
  }

  /** Numbers, from 1, of the pages that are damaged or not there. Yields those of some hundreds at a time. */
  *unreadablePages(): Generator<readonly number[], void> {
    for (let first = 1; first <= this.pageCount; first += PAGES_AT_A_TIME) {
      const last = Math.min(first + PAGES_AT_A_TIME - 1, this.pageCount);
      const found: number[] = first === 1 && this.isSaltDamaged ? [1] : [];
      for (let number = first; number <= last; number += 1) {
        if (number !== LOCK_BYTE_PAGE && !found.includes(number) && this.read(number) === undefined)
          found.push(number);
      }
      yield found;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    if (this.#logDescriptor !== undefined) closeSync(this.#logDescriptor);
  }

  #isAuthentic(page: Buffer, pageNumber: number): boolean {
    return page.length === PAGE_SIZE_BYTES && isPageAuthentic(this.#hmacKey, page, pageNumber);
  }

  /** The salt at the start of the file is what the HMACs' key depends on; where it is damaged, the copy of it counts. */
  #findHmacKey(path: string, filePages: number): { readonly hmacKey: KeyObject; readonly isCopy: boolean } {
    const first = readAt(this.#descriptor, 0, SALT_SIZE_BYTES);
    for (const salt of [first, readSaltCopy(path)]) {
      if (salt?.length !== SALT_SIZE_BYTES) continue;
      const hmacKey = derivePageHmacKey(this.#key, salt);
      for (let number = 1; number <= filePages; number += 1) {
        const page = readAt(this.#descriptor, (number - 1) * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);
        if (page.length === PAGE_SIZE_BYTES && isPageAuthentic(hmacKey, page, number))
          return { hmacKey, isCopy: salt !== first };
      }
    }
    throw new DatabaseError('WRONG_KEY', `no page of ${path} opens with this key`);
  }

  #readHeader(): FileHeader | undefined {
    const page = this.read(1);
    if (page === undefined) return undefined;
    return {
      pageCount: page.readUInt32BE(PAGE_COUNT_OFFSET),
      schemaVersion: page.readUInt32BE(USER_VERSION_OFFSET),
      commitCount: Math.max(0, page.readInt32BE(APPLICATION_ID_OFFSET)),
    };
  }
}

/** Whether any page of the file is one of a database under this key. The file is read to its end when none is. */
export function hasPagesUnder(path: string, key: Uint8Array): boolean {
  try {
    DamagedFile.open(path, key)[Symbol.dispose]();
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'WRONG_KEY') return false;
    throw toDatabaseError(error, `cannot read ${path}`);
  }
}

/** What can be read of the pages of a database and its log. */
export interface PageState {
  readonly pageCount: number;
  /** Numbers, from 1, of those that can't be read. */
  readonly damagedPages: readonly number[];
  /** There is a log with commits that SQLite does not read, and would remove. */
  readonly isLogUnread: boolean;
}

/**
 * Looks at a database and its log without SQLite, which forgets a log when it does not open what is beside it. Throws `WRONG_KEY` when no page opens with this key.
 */
export async function inspectPages(path: string, key: Uint8Array): Promise<PageState> {
  try {
    using file = DamagedFile.open(path, key);
    const damagedPages: number[] = [];
    for (const some of file.unreadablePages()) {
      damagedPages.push(...some);
      await nextTurn();
    }
    const { pageCount, isLogUnread } = file;
    return { pageCount, damagedPages, isLogUnread };
  } catch (error) {
    throw toDatabaseError(error, `cannot read ${path}`);
  }
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function readerOf(descriptor: number): ReadAt {
  return (offset, length) => readAt(descriptor, offset, length);
}

/** What the disk can't read is as good as not there. */
function readAt(descriptor: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readOrNothing(descriptor, buffer, filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

function readOrNothing(descriptor: number, buffer: Buffer, filled: number, position: number): number {
  try {
    return readSync(descriptor, buffer, filled, buffer.length - filled, position);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return 0;
    throw error;
  }
}
