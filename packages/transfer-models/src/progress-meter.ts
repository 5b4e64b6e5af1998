import * as v from 'valibot';
import { integerSchema, parseWith } from './schema.ts';
import { fractionOf } from './transfer-progress.ts';
import type { TransferProgress } from './transfer-progress.ts';

/** So many bytes were done at this time, by any clock. */
export interface ProgressSample {
  readonly bytesDone: number;
  readonly atMs: number;
}

export interface ProgressOptions {
  /** `undefined` when it is not known. */
  readonly bytesTotal?: number | undefined;
  /** The speed is the average over this much time before the last sample; 100 ms to 1 h, 5 s by default. */
  readonly windowMs?: number | undefined;
}

const DEFAULT_WINDOW_MS = 5000;
const MAX_WINDOW_MS = 3_600_000;

/** A speed over less time than this would be noise. */
const MIN_SPAN_MS = 100;

/** How many samples of a window are kept: closer ones replace each other. */
const SAMPLES_PER_WINDOW = 50;

/** The time of an ECMAScript Date has the same bounds. */
const MAX_TIME_MS = 8.64e15;

/**
 * Makes progress of samples: speed as a moving average, and the time left. It holds a bounded number of samples however many it is
 * given, and reads no clock.
 *
 * - A stall brings the speed down to 0 within the window, as long as samples of it are given; the time left is then unknown.
 * - After a time without samples, the speed is the average over that time.
 * - A clock that goes back is taken to have stood still.
 * - Bytes that go back (a part is done again) begin a new average: a speed is never negative.
 * - More bytes than the total raise the total.
 */
export class ProgressMeter {
  readonly #windowMs: number;
  #bytesTotal: number | undefined;
  /** In order; the first is the base of the average, the last is the latest one. Times are those of a clock that never goes back. */
  #samples: ProgressSample[] = [];
  #lastAtMs: number | undefined;

  /** Throws `INVALID`. */
  constructor(options: ProgressOptions = {}) {
    const { bytesTotal, windowMs } = parseWith(OPTIONS_SCHEMA, 'the options of a progress meter', options);
    this.#bytesTotal = bytesTotal;
    this.#windowMs = windowMs;
  }

  /** The progress with one more sample. Throws `INVALID`. */
  sample(bytesDone: number, atMs: number): TransferProgress {
    const sample = parseWith(SAMPLE_SCHEMA, 'a sample', { bytesDone, atMs });
    const last = this.#samples.at(-1);
    const steadyMs = (last?.atMs ?? 0) + Math.max(0, sample.atMs - (this.#lastAtMs ?? sample.atMs));
    this.#lastAtMs = sample.atMs;
    if (last !== undefined && sample.bytesDone < last.bytesDone) this.#samples = [];
    this.#keep({ bytesDone: sample.bytesDone, atMs: steadyMs });
    if (this.#bytesTotal !== undefined) this.#bytesTotal = Math.max(this.#bytesTotal, sample.bytesDone);
    return this.#progress(sample.bytesDone);
  }

  #keep(sample: ProgressSample): void {
    const samples = this.#samples;
    const beforeLast = samples.at(-2);
    // The one before the last is the newest that must stay: the last was only the latest until now.
    if (beforeLast !== undefined && sample.atMs - beforeLast.atMs < this.#windowMs / SAMPLES_PER_WINDOW)
      samples.pop();
    samples.push(sample);
    // The base is the newest sample that is as old as the window, so that the average covers a whole one.
    const base = samples.findLastIndex((old) => old.atMs <= sample.atMs - this.#windowMs);
    if (base > 0) samples.splice(0, base);
  }

  #progress(bytesDone: number): TransferProgress {
    const bytesTotal = this.#bytesTotal;
    const bytesPerSecond = this.#speed();
    if (bytesTotal === undefined) {
      return { bytesDone, bytesTotal, fraction: undefined, bytesPerSecond, secondsLeft: undefined };
    }
    const fraction = fractionOf(bytesDone, bytesTotal);
    return {
      bytesDone,
      bytesTotal,
      fraction,
      bytesPerSecond,
      secondsLeft: timeLeft(bytesTotal - bytesDone, bytesPerSecond),
    };
  }

  #speed(): number | undefined {
    const base = this.#samples[0];
    const last = this.#samples.at(-1);
    if (base === undefined || last === undefined) return undefined;
    const spanMs = last.atMs - base.atMs;
    return spanMs < MIN_SPAN_MS ? undefined : ((last.bytesDone - base.bytesDone) / spanMs) * 1000;
  }
}

/** The progress at the last of these samples; nothing is done when there is none. Throws `INVALID`. */
export function progressFromSamples(
  samples: Iterable<ProgressSample>,
  options: ProgressOptions = {},
): TransferProgress {
  const meter = new ProgressMeter(options);
  let progress: TransferProgress | undefined;
  for (const { bytesDone, atMs } of samples) progress = meter.sample(bytesDone, atMs);
  // One sample alone has no speed, whatever its time.
  return progress ?? meter.sample(0, 0);
}

function timeLeft(bytesLeft: number, bytesPerSecond: number | undefined): number | undefined {
  if (bytesLeft === 0) return 0;
  if (bytesPerSecond === undefined || bytesPerSecond === 0) return undefined;
  return bytesLeft / bytesPerSecond;
}

const BYTES_SCHEMA = integerSchema(Number.MAX_SAFE_INTEGER);

const OPTIONS_SCHEMA = v.object({
  bytesTotal: v.optional(BYTES_SCHEMA),
  windowMs: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.minValue(MIN_SPAN_MS, `must be at least ${String(MIN_SPAN_MS)}`),
      v.maxValue(MAX_WINDOW_MS, `must be at most ${String(MAX_WINDOW_MS)}`),
    ),
    DEFAULT_WINDOW_MS,
  ),
});

const SAMPLE_SCHEMA = v.object({
  bytesDone: BYTES_SCHEMA,
  atMs: v.pipe(
    v.number('must be a number'),
    v.minValue(-MAX_TIME_MS, 'must be a time'),
    v.maxValue(MAX_TIME_MS, 'must be a time'),
  ),
});
