import { closeSync, fstatSync, openSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseError } from '../errors.ts';
import { LOCK_BYTE_PAGE, PAGE_SIZE_BYTES, SALT_SIZE_BYTES } from '../page-layout.ts';
import { decryptPage, derivePageHmacKey, isPageAuthentic } from '../page-layout.ts';
import { readSaltCopy } from '../salt-copy.ts';
import { toDatabaseError } from '../translate-error.ts';
import { parseFileHeader } from './file-header.ts';
import type { FileHeader } from './file-header.ts';
import { examineLog } from './left-log.ts';
import type { LeftLog, LogProblem } from './left-log.ts';
import { openLog, readAt, readerOf } from './read-bytes.ts';

const PAGES_AT_A_TIME = 512;

/** A database file and its log, read page by page without SQLite. Gives out nothing that is not authentic. The key is the caller's. */
export class DamagedFile implements Disposable {
  readonly #descriptor: number;
  readonly #logDescriptor: number | undefined;
  readonly #key: Uint8Array;
  readonly #hmacKey: KeyObject;
  readonly #log: LeftLog;
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
      this.#log = examineLog(readerOf(this.#logDescriptor), {
        isAuthentic: (page, number) => this.#isAuthentic(page, number),
        decrypt: (page, number) => decryptPage(key, page, number),
        read: (number) => this.#readFrom(this.#descriptor, (number - 1) * PAGE_SIZE_BYTES, number),
      });
      const first = this.read(1);
      this.header = first === undefined ? undefined : parseFileHeader(first);
      // The header is authentic, and what a frame of the log says is not: it says at most how much of what is there counts.
      let available = filePages;
      for (const number of this.#log.offsets.keys()) available = Math.max(available, number);
      this.pageCount = this.header?.pageCount ?? Math.min(this.#log.pageCount ?? available, available);
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
    const inLog = this.#log.offsets.get(pageNumber);
    return inLog === undefined || this.#logDescriptor === undefined
      ? this.#readFrom(this.#descriptor, (pageNumber - 1) * PAGE_SIZE_BYTES, pageNumber)
      : this.#readFrom(this.#logDescriptor, inLog, pageNumber);
  }

  /** Why SQLite is not to have the log. */
  get logProblem(): LogProblem | undefined {
    return this.#log.problem;
  }

  /** Whether what is read of a page is not its last version. */
  isOutdated(pageNumber: number): boolean {
    return this.#log.outdated.has(pageNumber);
  }

  /** Numbers, from 1, of the pages that are damaged or not there. Yields those of some hundreds at a time. */
  *unreadablePages(): Generator<readonly number[], void> {
    for (let first = 1; first <= this.pageCount; first += PAGES_AT_A_TIME) {
      const last = Math.min(first + PAGES_AT_A_TIME - 1, this.pageCount);
      const found: number[] = first === 1 && this.isSaltDamaged ? [1] : [];
      for (let number = first; number <= last; number += 1) {
        if (number === LOCK_BYTE_PAGE || found.includes(number)) continue;
        if (this.isOutdated(number) || this.read(number) === undefined) found.push(number);
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

  #readFrom(descriptor: number, offset: number, pageNumber: number): Buffer | undefined {
    const page = readAt(descriptor, offset, PAGE_SIZE_BYTES);
    return this.#isAuthentic(page, pageNumber) ? decryptPage(this.#key, page, pageNumber) : undefined;
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
  /** What is wrong with the log. */
  readonly logProblem: LogProblem | undefined;
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
    const { pageCount, logProblem } = file;
    return { pageCount, damagedPages, logProblem };
  } catch (error) {
    throw toDatabaseError(error, `cannot read ${path}`);
  }
}
