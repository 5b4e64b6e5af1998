import type { VaultClient } from '@coffer/host';
import type { FileEntry, FileQuery } from '@coffer/vault';
import { describeFailure } from './failure.ts';
import type { Outcome } from './outcome.ts';
import type { Output } from './output/output.ts';

const PAGE_FILES = 2000;

/**
 * All files of a query, page by page, so that the first lines appear at once whatever the number. What can't be read of a damaged database is reported, each once, and the rest goes
 * on.
 */
export async function* collectPages(
  vault: VaultClient,
  query: FileQuery,
  { output, outcome }: { readonly output: Output; readonly outcome: Outcome },
): AsyncGenerator<readonly FileEntry[]> {
  const reported = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await vault.list({
      ...query,
      limit: PAGE_FILES,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { item, error } of page.lost) {
      if (reported.has(item)) continue;
      reported.add(item);
      const failure = describeFailure(error);
      outcome.fail(failure.exit);
      output.failure(failure, item);
    }
    yield page.files;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
