import type { Row } from './report.ts';
import { median, round } from './statistics.ts';

/** Runs synchronous or asynchronous work again and again in this process; the times in milliseconds. */
export async function timeEach(count: number, work: (index: number) => unknown): Promise<number[]> {
  const samplesMs: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const startMs = performance.now();
    await work(index);
    samplesMs.push(performance.now() - startMs);
  }
  return samplesMs;
}

/** A row of what was timed so: the median, and what 95 of 100 runs stayed below. */
export function timedRow(row: Omit<Row, 'figures' | 'samplesMs'>, samplesMs: readonly number[]): Row {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const p95Ms = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0;
  return {
    ...row,
    figures: { medianMs: round(median(sorted)), p95Ms: round(p95Ms) },
    samplesMs: samplesMs.map((sample) => round(sample)),
  };
}
