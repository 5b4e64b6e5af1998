import type { ForeignCell } from '@coffer/database';

/** 9999-12-31, in milliseconds. */
const MAX_TIME_MS = 253_402_300_799_999;
/** `2023-11-14 22:13:20.250000+02:00`, as Python and SQLite write it. */
const ISO = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?\s?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * A time of the source in milliseconds since 1970, `undefined` when it is none. Numbers are seconds, milliseconds, microseconds or nanoseconds, by their
 * size (seconds up to the year 5138); text is ISO 8601, in UTC unless it says otherwise, or a number.
 */
export function parseSourceTime(cell: ForeignCell): number | undefined {
  switch (cell.type) {
    case 'integer':
      return fromNumber(Number(cell.value));
    case 'real':
      return fromNumber(cell.value);
    case 'text':
      return fromText((cell.value ?? '').trim());
    default:
      return undefined;
  }
}

function fromNumber(value: number): number | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  const [unit] = [
    [1e11, 1_000],
    [1e14, 1],
    [1e17, 1e-3],
    [1e20, 1e-6],
  ]
    .filter(([limit = 0]) => value < limit)
    .map(([, factor = 0]) => factor);
  return unit === undefined ? undefined : bounded(Math.floor(value * unit));
}

function fromText(text: string): number | undefined {
  if (/^\d{1,20}(\.\d{1,9})?$/.test(text)) return fromNumber(Number(text));
  const [, day, time = '00:00', zone = 'Z'] = ISO.exec(text) ?? [];
  if (day === undefined) return undefined;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  return bounded(Date.parse(`${day}T${time.replace(/(\.\d{3})\d+$/, '$1')}${offset}`));
}

function bounded(timeMs: number): number | undefined {
  return Number.isSafeInteger(timeMs) && timeMs >= 0 && timeMs <= MAX_TIME_MS ? timeMs : undefined;
}
