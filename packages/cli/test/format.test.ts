import { expect, test } from 'vitest';
import { formatCount, formatDate, formatDuration, formatIsoDate, formatSize } from '../src/output/format.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [102_400, '102 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [2_149_000, '2.1 MB'],
  [9_960_000, '10 MB'],
  [48e9, '48 GB'],
  [7.25e15, '7.3 PB'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatSize(bytes)).toBe(text);
});

test.each([
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [12.4, '12 s'],
  [65, '1 min 05 s'],
  [7800, '2 h 10 min'],
])('%d seconds read %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('dates near by are said as a person would', () => {
  const now = new Date(2025, 10, 24, 10, 0).getTime();
  const at = (...parts: [number, number, number, number, number]): string =>
    formatDate(new Date(...parts).getTime(), now);
  expect(at(2025, 10, 24, 9, 5)).toBe('today 09:05');
  expect(at(2025, 10, 23, 23, 59)).toBe('yesterday 23:59');
  expect(at(2025, 2, 12, 14, 2)).toBe('12 Mar 14:02');
  expect(at(2023, 2, 12, 14, 2)).toBe('12 Mar 2023');
  expect(at(2026, 2, 12, 14, 2)).toBe('12 Mar 2026');
});

test('dates for programs are ISO 8601 in UTC', () => {
  expect(formatIsoDate(1_700_000_000_123)).toBe('2023-11-14T22:13:20Z');
});

test('counts have their plural and separators', () => {
  expect([formatCount(1, 'file'), formatCount(0, 'file'), formatCount(1234, 'file')]).toEqual([
    '1 file',
    '0 files',
    '1,234 files',
  ]);
});
