import { ProgressMeter } from '@coffer/transfer-models';
import type { TransferProgress } from '@coffer/transfer-models';

/** How far an operation over several files is. */
export interface BulkProgress extends TransferProgress {
  readonly filesDone: number;
  readonly filesTotal: number | undefined;
  /** The file being worked on. */
  readonly current: string | undefined;
}

/** At most 10 reports a second. */
const INTERVAL_MS = 100;

/** Counts bytes and files over a whole operation and reports them, not too often. */
export class BulkMeter {
  readonly #report: ((progress: BulkProgress) => void) | undefined;
  readonly #filesTotal: number | undefined;
  readonly #meter: ProgressMeter;
  #lastMs = Number.NEGATIVE_INFINITY;
  #bytesBefore = 0;
  #filesDone = 0;
  #current: string | undefined;

  constructor(
    report: ((progress: BulkProgress) => void) | undefined,
    totals: { readonly files: number; readonly bytes: number } | undefined,
  ) {
    this.#report = report;
    this.#filesTotal = totals?.files;
    this.#meter = new ProgressMeter({ bytesTotal: totals?.bytes });
  }

  begin(current: string): void {
    this.#current = current;
    this.#emit(0, false);
  }

  /** Bytes of the current file done so far. */
  advance(bytesOfFile: number): void {
    this.#emit(bytesOfFile, false);
  }

  /** The current file is done, or given up: then its bytes count as done too, for nothing is left to do. */
  end(sizeBytes: number): void {
    this.#filesDone++;
    this.#bytesBefore += sizeBytes;
    this.#current = undefined;
    this.#emit(0, false);
  }

  /** The last report, whenever the one before was. */
  finish(): void {
    this.#emit(0, true);
  }

  #emit(bytesOfFile: number, force: boolean): void {
    if (this.#report === undefined) return;
    const nowMs = performance.now();
    if (!force && nowMs - this.#lastMs < INTERVAL_MS) return;
    this.#lastMs = nowMs;
    const progress = this.#meter.sample(this.#bytesBefore + bytesOfFile, nowMs);
    this.#report({
      ...progress,
      filesDone: this.#filesDone,
      filesTotal: this.#filesTotal,
      current: this.#current,
    });
  }
}
