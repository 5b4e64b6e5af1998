import type { Target } from '../targets/target.ts';
import { bounded } from './bounded.ts';
import type { Bounds } from './bounded.ts';
import type { Coverage } from './coverage.ts';
import { mutate } from './mutate.ts';
import { seeded } from './seeded.ts';

/** Coverage costs as much as many executions, so it is looked at once for so many of them. */
const BATCH = 256;

/** Of one input, whose size a target bounds. The largest take some milliseconds, and hold some times their size. */
export const INPUT_BOUNDS: Bounds = { maxCpuMs: 1_000, maxGrowthMiB: 24 };

export interface ExploreOptions {
  readonly target: Target;
  readonly corpus: readonly Uint8Array[];
  readonly coverage: Coverage;
  readonly seed: number;
  readonly untilMs: number;
  /** Sees each input before it is run. */
  readonly before: (input: Uint8Array) => void;
  /** Called with an input that reached something new. */
  readonly onNew: (input: Uint8Array) => void;
  readonly afterBatch: (executions: number) => void;
}

export class InputFailure extends Error {
  readonly input: Uint8Array;

  constructor(input: Uint8Array, cause: unknown) {
    super(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), { cause });
    this.input = input;
  }
}

/**
 * Runs changed inputs of a target until the time is over, and keeps those that reach blocks which none before has. Throws `InputFailure` for
 * the first that the target fails on, or that takes more than its bounds of time and memory. Returns how many were run.
 */
export async function explore(options: ExploreOptions): Promise<number> {
  const { target, coverage } = options;
  const random = seeded(options.seed);
  const corpus: Uint8Array[] = [];
  let executions = 0;
  coverage.reset();
  for (const input of [...target.seeds(), ...options.corpus]) {
    await runOne(options, input);
    executions++;
    if (coverage.addNew() || corpus.length === 0) corpus.push(input);
  }
  const one = (): Uint8Array => corpus[Math.floor(random() * corpus.length)] ?? new Uint8Array(0);
  while (Date.now() < options.untilMs) {
    const batch = Array.from({ length: BATCH }, () => {
      const { maxSizeBytes, dictionary = [], repair } = target;
      const changed = mutate(one(), { random, maxSizeBytes, dictionary, other: one() });
      return repair === undefined || random() < 0.25 ? changed : repair(changed, random);
    });
    for (const input of batch) await runOne(options, input);
    executions += batch.length;
    if (coverage.addNew()) corpus.push(...(await findNew(options, batch)));
    options.afterBatch(executions);
  }
  return executions;
}

/** Those of a batch that ran something new, each of them run once more alone. */
async function findNew(options: ExploreOptions, batch: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const { coverage } = options;
  const found: Uint8Array[] = [];
  for (const input of batch) {
    coverage.reset();
    await runOne(options, input);
    if (!coverage.addNewAgain()) continue;
    found.push(input);
    options.onNew(input);
  }
  coverage.reset();
  return found;
}

async function runOne({ target, before }: ExploreOptions, input: Uint8Array): Promise<void> {
  before(input);
  try {
    // A copy: parsers of secrets zero what they are given.
    await bounded(() => target.run(Uint8Array.from(input)), INPUT_BOUNDS);
  } catch (error) {
    throw new InputFailure(input, error);
  }
}
