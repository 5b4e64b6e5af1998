import { rmSync, writeFileSync } from 'node:fs';
import { rebuildVault } from '../../packages/vault/src/index.ts';
import type { Marks, Tally } from '../tally.ts';
import { observe, withinTime } from '../vault/observe.ts';
import { PAGE_SIZE_BYTES, pageUses } from '../vault/sample-database.ts';
import type { PageUse } from '../vault/sample-database.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import { filesOn } from './pages.ts';

/** Pages of data.db that are lost, of which a new database is made: the vault opens with any of them gone, and has all that was elsewhere. */
export const rebuilt: readonly Kind[] = [
  kind('a page of the database lost, and the database rebuilt', (uses) => uses.map((use) => [use])),
  kind('two pages of the database lost, and the database rebuilt', (uses) =>
    uses.flatMap((a, index) => uses.slice(index + 1).map((b) => [a, b])),
  ),
];

function kind(name: string, cases: (uses: readonly PageUse[]) => readonly (readonly PageUse[])[]): Kind {
  return {
    name,
    async run(sample, tally, extent) {
      const bytes = sample.snapshot.bytes('data.db');
      for (const lost of cases(pageUses(sample))) {
        if (isTried(fewer(extent))) await rebuildWithout(sample, lost, bytes, tally);
      }
    },
  };
}

/** There are few of them, and each takes longer. */
function fewer(extent: Extent): Extent {
  return { ...extent, oneIn: Math.ceil(extent.oneIn / 40) };
}

async function rebuildWithout(
  sample: SampleVault,
  lost: readonly PageUse[],
  whole: Buffer,
  tally: Tally,
): Promise<void> {
  const name = lost.map(({ number, owner }) => `page ${String(number)} (${owner})`).join(', ');
  const bytes = Buffer.from(whole);
  for (const { number } of lost) bytes.fill(0, (number - 1) * PAGE_SIZE_BYTES, number * PAGE_SIZE_BYTES);
  try {
    writeFileSync(sample.paths.database, bytes);
    tally.count(name, await withinTime(name, judge(sample, lost)));
  } finally {
    rmSync(sample.paths.keptDatabase, { force: true });
    sample.snapshot.restore();
  }
}

async function judge(sample: SampleVault, lost: readonly PageUse[]): Promise<Marks> {
  const { directory, keptDatabase } = sample.paths;
  const summary = await rebuildVault({ directory, secret: sample.secret });
  await using vault = await sample.open();
  const seen = await observe(vault, sample.files);
  const refused = [...seen.files].filter(([, { outcome }]) => outcome === 'refused').map(([path]) => path);
  // Rows come back from the index, and the other way round; bytes of small files are in one place.
  const mayBeLost = new Set(
    areBothLost(lost)
      ? sample.files.map(({ path }) => path)
      : lost
          .filter(({ owner }) => owner === 'file_blobs')
          .flatMap((page) => filesOn(sample, page).map(({ path }) => path)),
  );
  const named = new Set(summary.withoutContent.map(({ path }) => path));
  const quarantined = await vault.quarantine();
  const isAccountedFor = (path: string): boolean =>
    named.has(path) || summary.withNewNames.length > 0 || quarantined.length > 0;
  return {
    detected: summary.isRebuilt && lost.every(({ number }) => summary.damagedPages.includes(number)),
    named:
      refused.every(isAccountedFor) &&
      seen.findings.every(({ path }) => path !== undefined && named.has(path)),
    advised: summary.keptPath === keptDatabase,
    othersIntact: refused.every((path) => mayBeLost.has(path)) && seen.checkError === undefined,
    onlyAuthentic: [...seen.files.values()].every(({ outcome }) => outcome !== 'wrong'),
  };
}

function areBothLost(lost: readonly PageUse[]): boolean {
  const owners = lost.map(({ owner }) => owner);
  return owners.includes('files') && owners.includes('files_by_path');
}
