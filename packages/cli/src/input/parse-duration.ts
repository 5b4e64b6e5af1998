import { usageError } from '../cli-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  // As `sleep` and others have it; a month is too long to be meant.
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The longest that an agent may stay, as its package has it. */
const MAX_MS: number = 30 * 86_400_000;

/** `90s`, `15min` or `15m`, `8h`, `2d`, or several in a row as `1h30min`, in milliseconds: from one second to 30 days. */
export function parseDuration(text: string): number {
  const isDuration = /^(?:\d{1,7}(?:s|m|min|h|d))+$/.test(text);
  const parts = isDuration ? [...text.matchAll(/(\d+)(s|min|m|h|d)/g)] : [];
  const totalMs = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0), 0);
  if (totalMs >= 1_000 && totalMs <= MAX_MS) return totalMs;
  throw usageError(
    isDuration ? `${text} is not from one second to 30 days` : `not a duration: ${text}`,
    'write it as 90s, 15m, 8h, 2d or 1h30m',
  );
}
