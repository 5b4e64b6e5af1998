import type { CofferDatabase } from '@coffer/database';

/** On a full disk: what a transaction that failed has taken of the log can be used by the next one. */
export function emptyLog(database: CofferDatabase): void {
  try {
    database.checkpoint('truncate');
  } catch {
    // Then the next one has what is left.
  }
}
