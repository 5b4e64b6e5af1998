import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { checkKeySize } from './cipher-key.ts';
import { DatabaseError } from './errors.ts';
import { checkNotHeld } from './open-files.ts';
import { LOCK_BYTE_PAGE, PAGE_SIZE_BYTES, SALT_SIZE_BYTES } from './page-layout.ts';
import { decryptPage, derivePageHmacKey, isPageAuthentic, readPageCount } from './page-layout.ts';
import { deadSpaceOf } from './dead-space.ts';
import { ResidueSearch } from './residue.ts';
import type { Residue } from './residue.ts';
import { toDatabaseError } from './translate-error.ts';

export interface PageScan {
  /** In the file, or in the header when that says more. */
  readonly pageCount: number;
  /**
   * Numbers, from 1, of pages that are not what was written there, and of pages that are missing. When it is all of
   * them, the key is another one or the salt at the start of the file is damaged.
   */
  readonly damagedPages: readonly number[];
  /** When it was asked for: pages of the tables and indexes whose dead space holds some of the residue. */
  readonly residuePages?: readonly number[];
}

export interface PageScanProgress {
  readonly pagesDone: number;
  readonly pageCount: number;
}

export interface PageScanOptions {
  readonly path: string;
  readonly key: Uint8Array;
  /** What was deleted, to look for in the space between cells that nothing lives in. */
  readonly residue?: Residue;
  /** The promise is rejected with its reason. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PageScanProgress) => void;
}

const CHUNK_PAGES = 256;

/**
 * Verifies the HMAC of every page of a database that no process has open; also of free pages, which SQLite's `integrity_check` never
 * reads. Only reads. Throws `IN_USE` when this process has it open, or when its WAL holds changes: open and close it first.
 */
export async function scanPages(options: PageScanOptions): Promise<PageScan> {
  checkNotHeld(options.path);
  if ((statSync(`${options.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new DatabaseError(
      'IN_USE',
      `${options.path} has changes that are still in its WAL: open and close it first`,
    );
  }
  return await scanDatabaseFile(options);
}

/** The same without looking at the WAL, for a process that only reads while the owner lets no checkpoint run. */
export async function scanDatabaseFile(options: PageScanOptions): Promise<PageScan> {
  const { path, key, signal } = options;
  checkKeySize(key);
  signal?.throwIfAborted();
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    return await scanFile(file, options);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw toDatabaseError(error, `cannot read ${path}`);
  } finally {
    await file?.close();
  }
}

async function scanFile(
  file: FileHandle,
  { path, key, residue, signal, onProgress }: PageScanOptions,
): Promise<PageScan> {
  const { size } = await file.stat();
  if (size < PAGE_SIZE_BYTES)
    throw new DatabaseError('NOT_A_DATABASE', `${path} is too short for a database`);
  const firstPage = await readChunk(file, 0, PAGE_SIZE_BYTES);
  const hmacKey = derivePageHmacKey(key, firstPage.subarray(0, SALT_SIZE_BYTES));
  const declared = isPageAuthentic(hmacKey, firstPage, 1) ? readPageCount(key, firstPage) : 0;
  const pageCount = Math.max(Math.ceil(size / PAGE_SIZE_BYTES), declared);
  const damagedPages: number[] = [];
  const residuePages: number[] = [];
  const search = residue === undefined ? undefined : new ResidueSearch(residue);
  for (let first = 1; first <= pageCount; first += CHUNK_PAGES) {
    const last = Math.min(first + CHUNK_PAGES - 1, pageCount);
    const chunk = await readChunk(file, (first - 1) * PAGE_SIZE_BYTES, (last - first + 1) * PAGE_SIZE_BYTES);
    addDamaged(damagedPages, hmacKey, chunk, first, last);
    if (search !== undefined) {
      const damaged = new Set(damagedPages);
      for (const [page, number] of pagesOf(chunk, first)) {
        if (damaged.has(number)) continue;
        const space = deadSpaceOf(decryptPage(key, page, number), number);
        if (space !== undefined && search.isIn(space)) residuePages.push(number);
      }
    }
    signal?.throwIfAborted();
    onProgress?.({ pagesDone: last, pageCount });
  }
  return { pageCount, damagedPages, ...(search === undefined ? {} : { residuePages }) };
}

function* pagesOf(chunk: Uint8Array, first: number): Generator<[page: Uint8Array, number: number]> {
  for (let offset = 0; offset + PAGE_SIZE_BYTES <= chunk.length; offset += PAGE_SIZE_BYTES) {
    yield [chunk.subarray(offset, offset + PAGE_SIZE_BYTES), first + offset / PAGE_SIZE_BYTES];
  }
}

function addDamaged(
  found: number[],
  hmacKey: KeyObject,
  chunk: Uint8Array,
  first: number,
  last: number,
): void {
  for (let number = first; number <= last; number += 1) {
    if (number === LOCK_BYTE_PAGE) continue;
    const offset = (number - first) * PAGE_SIZE_BYTES;
    const page = chunk.subarray(offset, offset + PAGE_SIZE_BYTES);
    if (page.length < PAGE_SIZE_BYTES || !isPageAuthentic(hmacKey, page, number)) found.push(number);
  }
}

/** What is there of the range: less than was asked for only at the end of the file. */
async function readChunk(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const chunk = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(chunk, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return chunk.subarray(0, filled);
}
