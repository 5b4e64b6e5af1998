import { statSync } from 'node:fs';
import { openKeyedConnection } from '../../packages/database/src/keyed-connection.ts';
import type { SampleVault } from './sample-vault.ts';

/** What a page of the database is for. */
export interface PageUse {
  readonly number: number;
  /** The table or index it is of. */
  readonly owner: string;
  readonly isOverflow: boolean;
}

export const PAGE_SIZE_BYTES = 4096;

/** Runs SQL that this program never would on the database of a closed vault. */
export function changeRows(sample: SampleVault, sql: string): void {
  using key = sample.rootKey.derive('coffer/database/v1');
  const connection = openKeyedConnection(sample.paths.database, key.exportBytes());
  try {
    connection.exec('PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON');
    connection.exec(sql);
  } finally {
    connection.close();
  }
}

/** What every page of the database, or of a copy of it under the same key, is for, as SQLite says. Pages that no table has map the others, or are free. */
export function pageUses(sample: SampleVault, path: string = sample.paths.database): readonly PageUse[] {
  using key = sample.rootKey.derive('coffer/database/v1');
  const count = statSync(path).size / PAGE_SIZE_BYTES;
  const connection = openKeyedConnection(path, key.exportBytes());
  try {
    const uses = connection
      .all('SELECT pageno, name, pagetype FROM dbstat')
      .map((row) => row as { readonly pageno: number; readonly name: string; readonly pagetype: string });
    return Array.from({ length: count }, (_, index) => {
      const number = index + 1;
      const use = uses.find(({ pageno }) => pageno === number);
      return { number, owner: use?.name ?? 'no table', isOverflow: use?.pagetype === 'overflow' };
    });
  } finally {
    connection.close();
  }
}
