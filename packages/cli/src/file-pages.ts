import type { FileEntry, FileQuery, Vault } from '@coffer/vault';

const PAGE_FILES = 2000;

/** All files of a query, page by page, so that the first lines appear at once whatever the number. */
export function* collectPages(vault: Vault, query: FileQuery): Generator<readonly FileEntry[]> {
  let cursor: string | undefined;
  do {
    const page = vault.list({ ...query, limit: PAGE_FILES, ...(cursor === undefined ? {} : { cursor }) });
    yield page.files;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
