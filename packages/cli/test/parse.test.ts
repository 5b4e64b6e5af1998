import { expect, test } from 'vitest';
import { parseDate } from '../src/input/parse-date.ts';
import { parsePercent } from '../src/input/parse-percent.ts';
import { parseRange } from '../src/input/parse-range.ts';
import { parseSize } from '../src/input/parse-size.ts';

const usage = expect.objectContaining({ code: 'USAGE', exit: 'usage' }) as Error;

test.each([
  ['0', 0],
  ['1500', 1500],
  ['10k', 10_000],
  ['10kB', 10_000],
  ['1.5 GB', 1.5e9],
  ['2GiB', 2 ** 31],
  ['1tib', 2 ** 40],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(['', '-1', '1.', 'k', '1e3', '10 XB', '1  kB', ' 1'])('%j is no size', (text) => {
  expect(() => parseSize(text)).toThrow(usage);
});

const now = new Date(2025, 10, 24, 10, 30).getTime();

test.each([
  ['today', new Date(2025, 10, 24).getTime()],
  ['yesterday', new Date(2025, 10, 23).getTime()],
  ['2025-03-31', new Date(2025, 2, 31).getTime()],
  ['2025-03-31T14:00', new Date(2025, 2, 31, 14).getTime()],
  ['2025-03-31 14:00:05', new Date(2025, 2, 31, 14, 0, 5).getTime()],
  ['2025-03-31T14:00Z', Date.UTC(2025, 2, 31, 14)],
  ['2025-03-31T14:00+02:00', Date.UTC(2025, 2, 31, 12)],
  ['30min', now - 1_800_000],
  ['12h', now - 43_200_000],
  ['7d', now - 604_800_000],
  ['2w', now - 1_209_600_000],
])('the date %s', (text, timeMs) => {
  expect(parseDate(text, now)).toBe(timeMs);
});

test.each(['', 'tomorrow', '2025', '2025-13-01', '2025-3-1', '7', '7y', '-7d', '2025-03-31T25:00'])(
  '%j is no date',
  (text) => {
    expect(() => parseDate(text, now)).toThrow(usage);
  },
);

test('a range has both ends in it, may be open at the end, or counts from the end', () => {
  expect(parseRange('0-99')(1000)).toEqual({ start: 0, end: 100 });
  expect(parseRange('5-5')(1000)).toEqual({ start: 5, end: 6 });
  expect(parseRange('100-')(1000)).toEqual({ start: 100, end: undefined });
  expect(parseRange('-100')(1000)).toEqual({ start: 900, end: undefined });
  expect(parseRange('-100')(10)).toEqual({ start: 0, end: undefined });
});

test.each(['', '-', '5', '9-5', '-0', 'a-b', '0x1-2', '1-2-3', '1 - 2'])('%j is no range', (text) => {
  expect(() => parseRange(text)).toThrow(usage);
});

test('a share is more than 0 and at most 100 percent', () => {
  expect([parsePercent('5%'), parsePercent('0.5'), parsePercent('100 %')]).toEqual([5, 0.5, 100]);
  for (const text of ['0', '101%', '-5%', '', '%', 'all']) expect(() => parsePercent(text)).toThrow(usage);
});
