/** A copy of a database under another key, whole and durable, that has not taken its place yet. */
export interface StagedRekey {
  /** Whether the database is under the new key: also when `commit` has thrown. */
  readonly isInPlace: boolean;
  /**
   * Puts the copy in place; one that is out of date is made again first. Resolves when the old file is overwritten. When it rejects, the database goes on under the key that it has:
   * `NO_SPACE`, `CORRUPT`, `CLOSED`, `FAILED`, or the signal's reason.
   */
  commit(): Promise<void>;
  /** Forgets the keys, and removes the copy if it was not put in place. Afterwards nothing can be done with this any more. */
  discard(): void;
}
