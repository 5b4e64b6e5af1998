import type { Extent, Kind } from './kinds/kind.ts';
import { pages } from './kinds/pages.ts';
import { sealedBytes } from './kinds/sealed-bytes.ts';
import { sealedShapes } from './kinds/sealed-shapes.ts';
import { vaultFiles } from './kinds/vault-files.ts';
import { Tally } from './tally.ts';
import type { Row } from './tally.ts';
import { SampleVault } from './vault/sample-vault.ts';
import { seeded } from './vault/seeded.ts';

/** All kinds of damage, in the order of the table. */
export const KINDS: readonly Kind[] = [...sealedBytes, ...sealedShapes, ...vaultFiles, ...pages];

export interface MatrixOptions {
  /** Of the cases that differ in nothing but a place, one in so many is tried. */
  readonly oneIn: number;
  readonly seed: number;
  /** Only the kinds with this in their name. */
  readonly filter?: string;
  readonly onRow?: (row: Row, seconds: number) => void;
}

/** Damages a vault in all the ways there are, and counts what became of it. */
export async function runMatrix({ oneIn, seed, filter = '', onRow }: MatrixOptions): Promise<Row[]> {
  using sample = await SampleVault.make(seed);
  const rows: Row[] = [];
  for (const kind of KINDS.filter(({ name }) => name.includes(filter))) {
    const tally = new Tally(kind.name);
    const extent: Extent = { oneIn, random: seeded(seed) };
    const startMs = performance.now();
    await kind.run(sample, tally, extent);
    sample.snapshot.restore();
    const row = tally.row();
    rows.push(row);
    onRow?.(row, (performance.now() - startMs) / 1000);
  }
  return rows;
}

/** Whether every case of every kind has every mark. */
export function isPerfect(rows: readonly Row[]): boolean {
  return rows.every(({ misses, cases }) => misses.length === 0 && cases > 0);
}
