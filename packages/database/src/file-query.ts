import { checkInteger } from './columns.ts';
import { invalid } from './errors.ts';
import { FILE_SORTS } from './file-cursor.ts';
import type { FileSort } from './file-cursor.ts';
import type { Condition, Placement } from './file-row.ts';

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 10_000;

/** Which files, in which order. Everything given must hold. */
export interface FileQuery {
  /** Files directly in this folder; `''` is the root. */
  readonly folder?: string;
  /** Files in the folders below it, too. */
  readonly recursive?: boolean;
  readonly tag?: string;
  /** `image/png`, or `image/*` for all of a kind. */
  readonly mimeType?: string;
  /** A part of the name or of a tag, taken literally, without regard to case. */
  readonly text?: string;
  /** Inclusive. */
  readonly createdSinceMs?: number;
  /** Inclusive. */
  readonly createdUntilMs?: number;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  readonly placement?: Placement;
  readonly condition?: Condition;
  /** `path` (folder, then name; by code points) when not given. Equal rows are ordered by id. */
  readonly sort?: FileSort;
  readonly descending?: boolean;
  /** 1 to 10,000; 1,000 when not given. */
  readonly limit?: number;
  /** `nextCursor` of the page before, with the same filters and order. */
  readonly cursor?: string;
}

export function limitOf(query: FileQuery): number {
  const limit = checkInteger(query.limit ?? DEFAULT_LIMIT, 'the limit', 1);
  if (limit > MAX_LIMIT) throw invalid(`the limit is at most ${String(MAX_LIMIT)}`);
  return limit;
}

export function sortOf(query: FileQuery): FileSort {
  const sort = query.sort ?? 'path';
  if (!FILE_SORTS.includes(sort)) throw invalid(`files cannot be sorted by ${sort as string}`);
  return sort;
}
