/** Bytes of a page that SQLite uses: the IV and HMAC after them are SQLCipher's. */
export const USABLE_SIZE_BYTES = 4016;

/** One for each five bytes of a page: https://sqlite.org/fileformat.html#pointer_map_or_ptrmap_pages */
const PAGES_PER_POINTER_MAP: number = Math.floor(USABLE_SIZE_BYTES / 5) + 1;

/** First bytes of the pages that have cells: https://sqlite.org/fileformat.html#b_tree_pages */
export const PAGE_KIND = { INDEX_INTERIOR: 2, TABLE_INTERIOR: 5, INDEX_LEAF: 10, TABLE_LEAF: 13 } as const;

export function isPointerMap(pageNumber: number): boolean {
  return pageNumber >= 2 && (pageNumber - 2) % PAGES_PER_POINTER_MAP === 0;
}
