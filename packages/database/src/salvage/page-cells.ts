import { PAGE_KIND, USABLE_SIZE_BYTES, isPointerMap } from '../btree-layout.ts';
import { LOCK_BYTE_PAGE } from '../page-layout.ts';

/*
 * The rows on a page, without the tree that it belongs to: https://sqlite.org/fileformat.html#b_tree_pages. What a page says of itself is
 * authentic, so it is what SQLite wrote, but it is checked all the same: a length is never trusted.
 */

/** More than a row can have: a BLOB below the threshold's limit and its header. */
const MAX_PAYLOAD_BYTES: number = 32 * 1024 * 1024;

/** A row of a table, or an entry of an index, which a table without row ids is as well. */
export interface Cell {
  /** Of a table's row. */
  readonly rowid: number | undefined;
  readonly payload: Buffer;
}

/** A cell that can't be read to its end: its first bytes, and the row id of a table's. */
export interface BrokenCell {
  readonly rowid: number | undefined;
  readonly payload: undefined;
}

/** Reads a page in clear; `undefined` when it is damaged. */
export type ReadPage = (pageNumber: number) => Buffer | undefined;

const { TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR } = PAGE_KIND;

/** Whether cells of tables without row ids and of indexes can be on it. */
export function isIndexPage(page: Buffer): boolean {
  const kind = page.readUInt8(0);
  return kind === INDEX_LEAF || kind === INDEX_INTERIOR;
}

/** All cells of a page that has rows; none of any other page. The first page has the schema alone, and is left out. */
export function* cellsOf(page: Buffer, pageNumber: number, readPage: ReadPage): Generator<Cell | BrokenCell> {
  if (pageNumber === 1 || isPointerMap(pageNumber) || pageNumber === LOCK_BYTE_PAGE) return;
  const kind = page.readUInt8(0);
  if (kind !== TABLE_LEAF && kind !== INDEX_LEAF && kind !== INDEX_INTERIOR) return;
  // What is before each cell of an interior page is the number of the page below it.
  const isInterior = kind === INDEX_INTERIOR;
  const headerSize = isInterior ? 12 : 8;
  const count = page.readUInt16BE(3);
  if (headerSize + 2 * count > USABLE_SIZE_BYTES) return;
  for (let index = 0; index < count; index += 1) {
    const offset = page.readUInt16BE(headerSize + 2 * index);
    yield readCell(page, isInterior ? offset + 4 : offset, kind === TABLE_LEAF, readPage);
  }
}

function readCell(page: Buffer, offset: number, isTable: boolean, readPage: ReadPage): Cell | BrokenCell {
  const size = readVarint(page, offset);
  const rowid = isTable ? readVarint(page, size.end) : undefined;
  const start = rowid?.end ?? size.end;
  const inPage = localSizeBytes(size.value, isTable);
  if (size.value > MAX_PAYLOAD_BYTES || start + inPage > USABLE_SIZE_BYTES)
    return { rowid: rowid?.value, payload: undefined };
  const local = page.subarray(start, start + inPage);
  if (inPage === size.value) return { rowid: rowid?.value, payload: local };
  if (start + inPage + 4 > USABLE_SIZE_BYTES) return { rowid: rowid?.value, payload: undefined };
  const rest = readOverflow(page.readUInt32BE(start + inPage), size.value - inPage, readPage);
  return { rowid: rowid?.value, payload: rest === undefined ? undefined : Buffer.concat([local, ...rest]) };
}

/** How much of a payload is on the page itself: https://sqlite.org/fileformat.html#cell_payload */
function localSizeBytes(payloadBytes: number, isTable: boolean): number {
  const most = isTable ? USABLE_SIZE_BYTES - 35 : Math.floor(((USABLE_SIZE_BYTES - 12) * 64) / 255) - 23;
  if (payloadBytes <= most) return payloadBytes;
  const least = Math.floor(((USABLE_SIZE_BYTES - 12) * 32) / 255) - 23;
  const fitting = least + ((payloadBytes - least) % (USABLE_SIZE_BYTES - 4));
  return fitting <= most ? fitting : least;
}

function readOverflow(first: number, sizeBytes: number, readPage: ReadPage): Buffer[] | undefined {
  const parts: Buffer[] = [];
  let left = sizeBytes;
  for (let number = first; left > 0;) {
    const page = readPage(number);
    if (page === undefined) return undefined;
    const part = page.subarray(4, 4 + Math.min(left, USABLE_SIZE_BYTES - 4));
    parts.push(part);
    left -= part.length;
    number = page.readUInt32BE(0);
  }
  return parts;
}

/** https://sqlite.org/fileformat.html#varint; a value beyond 2^53 is none that we write. */
export function readVarint(bytes: Buffer, offset: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes[offset + index] ?? 0;
    if (index === 8) return { value: value * 256 + byte, end: offset + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: offset + index + 1 };
  }
  return { value, end: offset + 9 };
}
