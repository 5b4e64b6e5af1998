import type { VaultClient } from '@coffer/host';
import type { FileEntry, FileQuery } from '@coffer/vault';

const PAGE_FILES = 2000;

/** All files of a query, page by page, so that the first lines appear at once whatever the number. */
export async function* collectPages(
  vault: VaultClient,
  query: FileQuery,
): AsyncGenerator<readonly FileEntry[]> {
  let cursor: string | undefined;
  do {
    const page = await vault.list({
      ...query,
      limit: PAGE_FILES,
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield page.files;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
