import type { Findings } from '../harness/report.ts';
import type { Workspace } from '../harness/workspace.ts';

export interface BenchmarkOptions {
  readonly workspace: Workspace;
  /** Sizes and counts are divided by it: 1, or more to try a benchmark out. */
  readonly divisor: number;
  /** How often what takes seconds is repeated. */
  readonly rounds: number;
  /** Also what takes many minutes or much room. */
  readonly long: boolean;
  /** A folder that has @signalapp/sqlcipher in its node_modules. */
  readonly sqlcipherFolder: string | undefined;
}

export interface Benchmark {
  run(options: BenchmarkOptions): Promise<Findings>;
}

export const MIB: number = 1024 * 1024;
export const GIB: number = 1024 * MIB;
