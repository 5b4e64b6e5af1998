import type { Tally } from '../tally.ts';
import type { SampleVault } from '../vault/sample-vault.ts';

export interface Extent {
  /** Of the cases that differ in nothing but a place, one in so many; 1 for all of them. */
  readonly oneIn: number;
  /** Decides which ones. */
  readonly random: () => number;
}

/** One row of the matrix. */
export interface Kind {
  readonly name: string;
  run(sample: SampleVault, tally: Tally, extent: Extent): Promise<void>;
}

/** Whether this one of many like it is tried. */
export function isTried({ oneIn, random }: Extent): boolean {
  return oneIn === 1 || random() * oneIn < 1;
}
