import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProgressMeter, parseTransferProgress } from '../src/index.ts';
import { expectError, expectParserToHold } from './expect-error.ts';

test('a progress is read with every property, those that are absent as undefined', () => {
  expect(parseTransferProgress({ bytesDone: 3 })).toStrictEqual({
    bytesDone: 3,
    bytesTotal: undefined,
    fraction: undefined,
    bytesPerSecond: undefined,
    secondsLeft: undefined,
  });
});

test('the fraction follows from the bytes, whatever is said', () => {
  expect(parseTransferProgress({ bytesDone: 1, bytesTotal: 4, fraction: 0.9 }).fraction).toBe(0.25);
  expect(parseTransferProgress({ bytesDone: 0, bytesTotal: 0, fraction: -1 }).fraction).toBe(1);
});

describe('a progress is refused with', () => {
  test.each([
    ['more done than there is', { bytesDone: 5, bytesTotal: 4 }],
    ['nothing said', {}],
    ['half a byte', { bytesDone: 0.5 }],
    ['fewer bytes than none', { bytesDone: -1 }],
    ['null for what is not known', { bytesDone: 1, bytesTotal: null }],
    ['a speed that is no number', { bytesDone: 1, bytesPerSecond: NaN }],
    ['a speed without end', { bytesDone: 1, bytesPerSecond: Infinity }],
    ['a negative speed', { bytesDone: 1, bytesPerSecond: -1 }],
    ['time that is over', { bytesDone: 1, secondsLeft: -1 }],
  ])('%s', (_, value) => {
    expectError('INVALID', () => parseTransferProgress(value));
  });
});

test('what a meter says survives JSON', () => {
  const sample = fc.record({ bytesDone: fc.maxSafeNat(), atMs: fc.integer({ min: 0, max: 10_000_000 }) });
  fc.assert(
    fc.property(
      fc.array(sample, { minLength: 1 }),
      fc.option(fc.maxSafeNat(), { nil: undefined }),
      (samples, bytesTotal) => {
        const meter = new ProgressMeter({ bytesTotal });
        for (const { bytesDone, atMs } of samples) {
          const progress = meter.sample(bytesDone, atMs);
          expect(parseTransferProgress(JSON.parse(JSON.stringify(progress)))).toStrictEqual(progress);
        }
      },
    ),
  );
});

test('any value at all is read or refused', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expectParserToHold(parseTransferProgress, value);
    }),
  );
});
