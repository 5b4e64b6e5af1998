import { usageError } from '../cli-error.ts';

/** Bytes of a file: from `start` (counted from 0) to `end`, which is not in it. */
export interface ByteRange {
  readonly start: number;
  readonly end: number | undefined;
}

/**
 * Parses `A-B` (both included, as in HTTP), `A-` (to the end) and `-N` (the last N bytes, for which the size has to be
 * known).
 */
export function parseRange(text: string): (sizeBytes: number) => ByteRange {
  const [, first = '', last = ''] = /^(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  const start = Number(first);
  const end = Number(last);
  if (
    (first === '' && last === '') ||
    (first !== '' && last !== '' && end < start) ||
    (first === '' && end === 0)
  ) {
    throw usageError(
      `not a range: ${text}`,
      'write it as 0-99 (the first 100 bytes), 100- (all after them) or -100 (the last 100)',
    );
  }
  if (first === '') return (sizeBytes) => ({ start: Math.max(0, sizeBytes - end), end: undefined });
  return () => ({ start, end: last === '' ? undefined : end + 1 });
}
