import type { Extent, Kind } from './kinds/kind.ts';
import { backups } from './kinds/backups.ts';
import { folders } from './kinds/folders.ts';
import { limitsOfLogs, logs } from './kinds/logs.ts';
import { limitsOfPages, oldCopies } from './kinds/old-copies.ts';
import { pageScan } from './kinds/page-scan.ts';
import { pages } from './kinds/pages.ts';
import { quarantined } from './kinds/quarantined.ts';
import { rebuilt } from './kinds/rebuilt.ts';
import { rotated } from './kinds/rotated.ts';
import { rows } from './kinds/rows.ts';
import { sealedBytes } from './kinds/sealed-bytes.ts';
import { sealedShapes } from './kinds/sealed-shapes.ts';
import { sideRows } from './kinds/side-rows.ts';
import { slots } from './kinds/slots.ts';
import { vaultFiles } from './kinds/vault-files.ts';
import { Tally } from './tally.ts';
import type { Row } from './tally.ts';
import { SampleVault } from './vault/sample-vault.ts';
import { seeded } from './vault/seeded.ts';

/** All kinds of damage, in the order of the table. */
export const KINDS: readonly Kind[] = [
  ...sealedBytes,
  ...sealedShapes,
  ...folders,
  ...vaultFiles,
  ...slots,
  ...pageScan,
  ...pages,
  ...rebuilt,
  ...rows,
  ...sideRows,
  ...oldCopies,
  ...logs,
  ...rotated,
  ...quarantined,
  ...backups,
];

/** What is not detected, and said so in docs/security; the other marks are asked of it as well. */
export const LIMITS: readonly Kind[] = [...limitsOfPages, ...limitsOfLogs];

export interface MatrixOptions {
  /** Of the cases that differ in nothing but a place, one in so many is tried. */
  readonly oneIn: number;
  readonly seed: number;
  /** Only the kinds with this in their name. */
  readonly filter?: string;
  readonly onRow?: (row: Row, seconds: number) => void;
}

/** Damages a vault in all the ways there are, and counts what became of it. */
export async function runMatrix(
  kinds: readonly Kind[],
  { oneIn, seed, filter = '', onRow }: MatrixOptions,
): Promise<Row[]> {
  using sample = await SampleVault.make(seed);
  const made: Row[] = [];
  for (const kind of kinds.filter(({ name }) => name.includes(filter))) {
    const tally = new Tally(kind.name);
    const extent: Extent = { oneIn, random: firstOf(seeded(seed)) };
    const startMs = performance.now();
    await kind.run(sample, tally, extent);
    sample.snapshot.restore();
    const row = tally.row();
    made.push(row);
    onRow?.(row, (performance.now() - startMs) / 1000);
  }
  return made;
}

/** So that of every kind at least the first case is tried. */
function firstOf(random: () => number): () => number {
  let isFirst = true;
  return () => {
    const value = isFirst ? 0 : random();
    isFirst = false;
    return value;
  };
}

/** Whether every case of every kind has every mark, but for being detected where that is a limit that is written down. */
export function isPerfect(made: readonly Row[], { limits = false } = {}): boolean {
  return made.every(
    (row) =>
      (limits || row.detected === row.cases) &&
      [row.named, row.advised, row.othersIntact, row.onlyAuthentic].every((count) => count === row.cases),
  );
}
