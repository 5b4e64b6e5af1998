import type { CofferDatabase, FileRow } from '@coffer/database';

const PAGE_ROWS = 1_000;

/** All files in a folder and the folders in it, in the order of their paths. */
export function rowsInFolder(database: CofferDatabase, folder: string): FileRow[] {
  const rows: FileRow[] = [];
  let cursor: string | undefined;
  do {
    const page = database.files.list({
      folder,
      recursive: true,
      sort: 'path',
      limit: PAGE_ROWS,
      ...(cursor === undefined ? {} : { cursor }),
    });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return rows;
}
