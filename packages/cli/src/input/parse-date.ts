import { usageError } from '../cli-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/**
 * A moment from `2025-03-31` (local midnight), `2025-03-31T14:00` (local; with `Z` or an offset where one is given), `today`,
 * `yesterday`, or an age: `30min`, `12h`, `7d`, `2w`. Returns milliseconds since 1970.
 */
export function parseDate(text: string, nowMs: number): number {
  const [, count, unit = ''] = /^(\d{1,6})(min|h|d|w)$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (UNIT_MS[unit] ?? 0);
  const now = new Date(nowMs);
  if (text === 'today' || text === 'yesterday') {
    return new Date(now.getFullYear(), now.getMonth(), now.getDate() - (text === 'today' ? 0 : 1)).getTime();
  }
  const [, date, time] = /^(\d{4}-\d\d-\d\d)([T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const timeMs = date === undefined ? NaN : Date.parse(`${date}T${time?.slice(1) ?? '00:00'}`);
  if (Number.isNaN(timeMs)) {
    throw usageError(
      `not a date: ${text}`,
      'write it as 2025-03-31, 2025-03-31T14:00, today, yesterday, 12h, 7d or 2w',
    );
  }
  return timeMs;
}
