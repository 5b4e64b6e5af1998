import { join } from 'node:path';

/** What is in a staging folder: everything that turns the backup beside it into the next one. */
export interface StagingPaths {
  readonly directory: string;
  /** The database of the next backup. */
  readonly database: string;
  /** A copy of its salt, without which none of its pages can be told from a damaged one. */
  readonly saltCopy: string;
  /** Sealed files that the backup does not have yet. */
  readonly files: string;
  /** Headers that have changed in files that the backup has. */
  readonly headers: string;
  /** The same, once they are all in their places: never read again. */
  readonly usedHeaders: string;
  /** Ids of sealed files that the next backup has no more. */
  readonly removed: string;
}

export function stagingPaths(directory: string): StagingPaths {
  return {
    directory,
    database: join(directory, 'data.db'),
    saltCopy: join(directory, 'data.db.reserve'),
    files: join(directory, 'files'),
    headers: join(directory, 'headers'),
    usedHeaders: join(directory, 'headers.used'),
    removed: join(directory, 'removed'),
  };
}
