import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProgressMeter, progressFromSamples } from '../src/index.ts';
import type { ProgressSample } from '../src/index.ts';
import { expectError } from './expect-error.ts';

const MB = 1_000_000;

/** A sample every so many milliseconds at a steady speed. */
function steady(
  bytesPerSecond: number,
  fromMs: number,
  toMs: number,
  everyMs = 100,
  fromBytes = 0,
): ProgressSample[] {
  const samples: ProgressSample[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += everyMs) {
    samples.push({ bytesDone: fromBytes + Math.round(((atMs - fromMs) / 1000) * bytesPerSecond), atMs });
  }
  return samples;
}

describe('at a steady speed', () => {
  test('fraction, speed and time left are those of a ruler', () => {
    const progress = progressFromSamples(steady(10 * MB, 0, 3000), { bytesTotal: 100 * MB });
    expect(progress.bytesDone).toBe(30 * MB);
    expect(progress.bytesTotal).toBe(100 * MB);
    expect(progress.fraction).toBe(0.3);
    expect(progress.bytesPerSecond).toBeCloseTo(10 * MB);
    expect(progress.secondsLeft).toBeCloseTo(7);
  });

  test('the bytes of an earlier run do not count as speed', () => {
    const samples = steady(10 * MB, 0, 2000, 100, 500 * MB);
    const progress = progressFromSamples(samples, { bytesTotal: 1000 * MB });
    expect(progress.bytesPerSecond).toBeCloseTo(10 * MB);
    expect(progress.secondsLeft).toBeCloseTo(48);
  });

  test('samples may come by the thousand', () => {
    const progress = progressFromSamples(steady(10 * MB, 0, 60_000, 0.5), { bytesTotal: 1200 * MB });
    expect(progress.bytesPerSecond).toBeCloseTo(10 * MB, -3);
    expect(progress.secondsLeft).toBeCloseTo(60, 1);
  });

  test('time may begin anywhere, also below 0', () => {
    expect(progressFromSamples(steady(MB, -10_000, -8000)).bytesPerSecond).toBeCloseTo(MB);
    expect(progressFromSamples(steady(MB, 1.7e12, 1.7e12 + 2000)).bytesPerSecond).toBeCloseTo(MB);
  });
});

describe('nothing is guessed', () => {
  test('without a sample', () => {
    expect(progressFromSamples([], { bytesTotal: 10 })).toStrictEqual({
      bytesDone: 0,
      bytesTotal: 10,
      fraction: 0,
      bytesPerSecond: undefined,
      secondsLeft: undefined,
    });
  });

  test('from one sample, or from two at once', () => {
    expect(progressFromSamples([{ bytesDone: 5, atMs: 9000 }]).bytesPerSecond).toBeUndefined();
    const twoAtOnce = [
      { bytesDone: 0, atMs: 0 },
      { bytesDone: 5, atMs: 0 },
    ];
    expect(progressFromSamples(twoAtOnce, { bytesTotal: 10 })).toMatchObject({
      bytesPerSecond: undefined,
      secondsLeft: undefined,
    });
  });

  test('about an end that is not known', () => {
    const progress = progressFromSamples(steady(MB, 0, 2000));
    expect(progress).toMatchObject({ bytesTotal: undefined, fraction: undefined, secondsLeft: undefined });
    expect(progress.bytesPerSecond).toBeCloseTo(MB);
  });
});

describe('at the end', () => {
  test('nothing is left, however short it was', () => {
    expect(progressFromSamples([{ bytesDone: 10, atMs: 0 }], { bytesTotal: 10 })).toMatchObject({
      fraction: 1,
      secondsLeft: 0,
    });
  });

  test('an empty file is done at once', () => {
    expect(progressFromSamples([{ bytesDone: 0, atMs: 0 }], { bytesTotal: 0 })).toStrictEqual({
      bytesDone: 0,
      bytesTotal: 0,
      fraction: 1,
      bytesPerSecond: undefined,
      secondsLeft: 0,
    });
  });

  test('a source that grew has its total raised', () => {
    const meter = new ProgressMeter({ bytesTotal: 10 });
    expect(meter.sample(12, 0)).toMatchObject({ bytesTotal: 12, fraction: 1, secondsLeft: 0 });
    expect(meter.sample(6, 1000)).toMatchObject({ bytesTotal: 12, fraction: 0.5 });
  });
});

describe('in a stall', () => {
  const before = steady(10 * MB, 0, 5000);

  test('the speed falls, and is 0 after a window of samples', () => {
    const meter = new ProgressMeter({ bytesTotal: 100 * MB, windowMs: 5000 });
    for (const { bytesDone, atMs } of before) meter.sample(bytesDone, atMs);
    let last = Infinity;
    for (let atMs = 5100; atMs <= 10_500; atMs += 100) {
      const { bytesPerSecond = NaN } = meter.sample(50 * MB, atMs);
      expect(bytesPerSecond).toBeLessThanOrEqual(last);
      last = bytesPerSecond;
    }
    expect(last).toBe(0);
    expect(meter.sample(50 * MB, 10_600)).toMatchObject({ bytesPerSecond: 0, secondsLeft: undefined });
  });

  test('without samples, the speed is the average over it', () => {
    const progress = progressFromSamples([...before, { bytesDone: 51 * MB, atMs: 65_000 }], {
      bytesTotal: 100 * MB,
    });
    expect(progress.bytesPerSecond).toBeCloseTo(MB / 60, 0);
  });

  test('that is over, the speed of before it is back within a window', () => {
    const stalled = steady(0, 5100, 30_000, 100, 50 * MB);
    const after = steady(10 * MB, 30_100, 36_000, 100, 50 * MB);
    expect(progressFromSamples([...before, ...stalled, ...after]).bytesPerSecond).toBeCloseTo(10 * MB);
  });
});

describe('when things go backwards', () => {
  test('a clock set back by an hour changes nothing', () => {
    const first = steady(10 * MB, 3_600_000, 3_603_000);
    const second = steady(10 * MB, 3000, 6000, 100, 30 * MB);
    const progress = progressFromSamples([...first, ...second], { bytesTotal: 120 * MB });
    expect(progress.bytesPerSecond).toBeCloseTo(10 * MB, -6);
    expect(progress.secondsLeft).toBeCloseTo(6, 0);
  });

  test('a part that is done again begins a new average', () => {
    const meter = new ProgressMeter({ bytesTotal: 100 * MB });
    for (const { bytesDone, atMs } of steady(10 * MB, 0, 5000)) meter.sample(bytesDone, atMs);
    expect(meter.sample(40 * MB, 5100)).toMatchObject({
      bytesDone: 40 * MB,
      fraction: 0.4,
      bytesPerSecond: undefined,
    });
    expect(meter.sample(41 * MB, 5600).bytesPerSecond).toBeCloseTo(2 * MB);
  });
});

describe('the window', () => {
  test('forgets an older speed', () => {
    const samples = [...steady(100 * MB, 0, 10_000), ...steady(MB, 10_100, 13_100, 100, 1000 * MB)];
    expect(progressFromSamples(samples, { windowMs: 2000 }).bytesPerSecond).toBeCloseTo(MB);
    expect(progressFromSamples(samples, { windowMs: 60_000 }).bytesPerSecond).toBeGreaterThan(50 * MB);
  });

  test.each([99, 0, -1, NaN, '5000'])('of %j is refused', (windowMs) => {
    expectError('INVALID', () => Reflect.construct(ProgressMeter, [{ windowMs }]));
  });
});

test.each([
  [-1, 0],
  [0.5, 0],
  [NaN, 0],
  [0, NaN],
  [0, Infinity],
  [0, -Infinity],
])('a sample of %d bytes at %d is refused', (bytesDone, atMs) => {
  expect(() => new ProgressMeter().sample(bytesDone, atMs)).toThrow(/^(bytesDone|atMs) of a sample must /);
});

test('whatever the samples, a progress is within its bounds', () => {
  const sample = fc.record({
    bytesDone: fc.oneof(fc.nat(), fc.maxSafeNat()),
    atMs: fc.oneof(
      fc.integer({ min: -1000, max: 100_000 }),
      fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }),
    ),
  });
  const total = fc.option(fc.oneof(fc.nat(), fc.maxSafeNat()), { nil: undefined });
  fc.assert(
    fc.property(
      fc.array(sample, { maxLength: 60 }),
      total,
      fc.integer({ min: 100, max: 10_000 }),
      (samples, bytesTotal, windowMs) => {
        const meter = new ProgressMeter({ bytesTotal, windowMs });
        for (const { bytesDone, atMs } of samples) {
          const progress = meter.sample(bytesDone, atMs);
          expect(progress.bytesDone).toBe(bytesDone);
          expect(progress.bytesTotal === undefined).toBe(bytesTotal === undefined);
          const { fraction = 0, bytesPerSecond = 0, secondsLeft = 0 } = progress;
          expect(fraction >= 0 && fraction <= 1).toBe(true);
          expect(bytesPerSecond >= 0 && Number.isFinite(bytesPerSecond)).toBe(true);
          expect(secondsLeft >= 0 && Number.isFinite(secondsLeft)).toBe(true);
        }
      },
    ),
  );
});

test('a list of samples makes what the meter makes, one by one', () => {
  const sample = fc.record({ bytesDone: fc.nat(), atMs: fc.nat() });
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
      const meter = new ProgressMeter({ bytesTotal: 1000 });
      const one = samples.map(({ bytesDone, atMs }) => meter.sample(bytesDone, atMs)).at(-1);
      expect(progressFromSamples(samples, { bytesTotal: 1000 })).toStrictEqual(one);
    }),
  );
});
