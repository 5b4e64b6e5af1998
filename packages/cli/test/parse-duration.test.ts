import { expect, test } from 'vitest';
import { parseDuration } from '../src/input/parse-duration.ts';

test.each([
  ['1s', 1_000],
  ['90s', 90_000],
  ['1m', 60_000],
  ['1min', 60_000],
  ['15m', 900_000],
  ['1h30m', 5_400_000],
  ['1h30min15s', 5_415_000],
  ['30d', 2_592_000_000],
])('%s is so many milliseconds', (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs);
});

test.each(['', 'm', '1', '1M', '1 m', '-1m', '1.5h', '1ms', '1mn', 'ever'])('%j is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow('not a duration');
});

test.each(['0s', '0m', '31d', '9999999d'])('%s is not a time for which a vault can be unlocked', (text) => {
  expect(() => parseDuration(text)).toThrow('is not from one second to 30 days');
});
