import { PAGE_KIND, USABLE_SIZE_BYTES, isPointerMap } from './btree-layout.ts';
import { LOCK_BYTE_PAGE } from './page-layout.ts';

/*
 * Where in a decrypted page nothing lives. SQLite zeroes a row that it deletes (`secure_delete`), but when it balances a tree it moves rows to
 * other pages and leaves their old bytes in the space between the cell pointers and the cells of the page that they were in. Such a copy
 * outlives its row. https://sqlite.org/fileformat.html#b_tree_pages
 */

const FILE_HEADER_SIZE_BYTES = 100;
const HEADER_SIZE_BYTES: Readonly<Partial<Record<number, number>>> = {
  [PAGE_KIND.INDEX_INTERIOR]: 12,
  [PAGE_KIND.TABLE_INTERIOR]: 12,
  [PAGE_KIND.INDEX_LEAF]: 8,
  [PAGE_KIND.TABLE_LEAF]: 8,
};

/**
 * The space of a b-tree page between the cell pointers and the cells. `undefined` for a page that is no b-tree page, and for one that says
 * what can't be. `page` is the decrypted page; the first one has the 16 bytes of SQLite's magic (or salt) in front.
 */
export function deadSpaceOf(page: Buffer, pageNumber: number): Buffer | undefined {
  if (isPointerMap(pageNumber) || pageNumber === LOCK_BYTE_PAGE) return undefined;
  const start = pageNumber === 1 ? FILE_HEADER_SIZE_BYTES : 0;
  const headerSize = HEADER_SIZE_BYTES[page.readUInt8(start)];
  if (headerSize === undefined) return undefined;
  const pointersEnd = start + headerSize + 2 * page.readUInt16BE(start + 3);
  const contentStart = page.readUInt16BE(start + 5);
  if (contentStart < pointersEnd || contentStart > USABLE_SIZE_BYTES) return undefined;
  return page.subarray(pointersEnd, contentStart);
}
