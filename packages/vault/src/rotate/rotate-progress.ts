import { ProgressMeter } from '@coffer/transfer-models';
import type { ResealProgress } from '@coffer/storage';
import type { BulkProgress } from '../files/bulk-progress.ts';

/** Of a sealed file: what of it a rewrap reads and writes. */
const HEADER_SIZE_BYTES = 8192;

/** At most 10 reports a second. */
const INTERVAL_MS = 100;

type Report = (progress: BulkProgress) => void;

/** Reports how many headers are done; bytes are those of headers. */
export class HeaderMeter {
  readonly #pace: Pace;
  #meter: ProgressMeter | undefined;

  constructor(report: Report | undefined) {
    this.#pace = new Pace(report);
  }

  readonly advance = (filesDone: number, filesTotal: number): void => {
    this.#pace.run(filesDone === filesTotal, (nowMs) => {
      this.#meter ??= new ProgressMeter({ bytesTotal: filesTotal * HEADER_SIZE_BYTES });
      return {
        ...this.#meter.sample(filesDone * HEADER_SIZE_BYTES, nowMs),
        filesDone,
        filesTotal,
        current: undefined,
      };
    });
  };
}

/** Reports how much content is sealed again. */
export function contentMeter(report: Report | undefined): (progress: ResealProgress) => void {
  const pace = new Pace(report);
  let meter: ProgressMeter | undefined;
  return ({ filesDone, filesTotal, bytesDone, bytesTotal }) => {
    pace.run(filesDone === filesTotal, (nowMs) => {
      meter ??= new ProgressMeter({ bytesTotal });
      return { ...meter.sample(bytesDone, nowMs), filesDone, filesTotal, current: undefined };
    });
  };
}

class Pace {
  readonly #report: Report | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(report: Report | undefined) {
    this.#report = report;
  }

  run(isLast: boolean, describe: (nowMs: number) => BulkProgress): void {
    if (this.#report === undefined) return;
    const nowMs = performance.now();
    if (!isLast && nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    this.#report(describe(nowMs));
  }
}
