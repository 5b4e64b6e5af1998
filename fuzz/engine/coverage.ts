import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';

interface Interval {
  readonly start: number;
  readonly end: number;
}

/** Of each function that has run, the parts that never have. */
type Uncovered = Map<string, readonly Interval[]>;

/**
 * Which parts of our sources have run: V8's precise coverage by blocks, which every Node.js has, instead of a compiler that instruments.
 * https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#method-startPreciseCoverage
 */
export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #isOurs: (url: string) => boolean;
  #known: Uncovered = new Map();
  #before: Uncovered = new Map();

  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Forgets what ran since the last time it was asked. */
  reset(): void {
    this.#take();
  }

  /** Whether something ran since the last time that never had before. */
  addNew(): boolean {
    this.#before = new Map(this.#known);
    return this.#addTo(this.#known);
  }

  /** The same as if the last `addNew` had not been: to tell which input of several it was. */
  addNewAgain(): boolean {
    return this.#addTo(this.#before);
  }

  /** Characters of our sources that have run, of those of functions that have. */
  get functions(): number {
    return this.#known.size;
  }

  #addTo(known: Uncovered): boolean {
    let isNew = false;
    for (const { url, functions } of this.#take()) {
      for (const { ranges, functionName } of functions) {
        const [whole] = ranges;
        if (whole === undefined || whole.count === 0) continue;
        const key = `${url} ${functionName} ${String(whole.startOffset)}`;
        const left = ranges.filter(({ count }) => count === 0).map(toInterval);
        const before = known.get(key);
        const now = before === undefined ? left : intersect(before, left);
        if (before !== undefined && lengthOf(now) === lengthOf(before)) continue;
        known.set(key, now);
        isNew = true;
      }
    }
    return isNew;
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // Answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      scripts = result.filter(({ url }) => this.#isOurs(url));
    });
    return scripts;
  }

  [Symbol.dispose](): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

function toInterval({ startOffset, endOffset }: Profiler.CoverageRange): Interval {
  return { start: startOffset, end: endOffset };
}

function intersect(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  return a.flatMap((one) =>
    b.flatMap((two) => {
      const start = Math.max(one.start, two.start);
      const end = Math.min(one.end, two.end);
      return start < end ? [{ start, end }] : [];
    }),
  );
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, { start, end }) => sum + end - start, 0);
}
