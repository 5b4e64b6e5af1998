import { writeFileSync } from 'node:fs';
import type { Marks } from '../tally.ts';
import { seededBytes } from '../vault/seeded.ts';
import { PAGE_SIZE_BYTES, pageUses } from '../vault/sample-database.ts';
import type { PageUse } from '../vault/sample-database.ts';
import type { SampleFile, SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isAffecting, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';

/** Where SQLCipher keeps what belongs to a page, from its end. */
const PARTS = { ciphertext: 2_000, IV: PAGE_SIZE_BYTES - 70, HMAC: PAGE_SIZE_BYTES - 20 } as const;

/** Pages of data.db. */
export const pages: readonly Kind[] = [
  closedKind('a page of the database changed', changedPages),
  closedKind('two pages of the database in each other’s place', swappedPages),
  closedKind('the database cut off, at every page and between', truncatedDatabase),
];

function* changedPages(sample: SampleVault, extent: Extent): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('data.db');
  for (const page of pageUses(sample)) {
    if (!isTried(fewer(extent))) continue;
    for (const [part, offset] of Object.entries(PARTS)) {
      const copy = Buffer.from(bytes);
      const at = (page.number - 1) * PAGE_SIZE_BYTES + offset;
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      yield replaced(sample, [page], copy, `a bit of the ${part}`);
    }
    yield replaced(sample, [page], withPage(bytes, page, Buffer.alloc(PAGE_SIZE_BYTES)), 'zeroed');
    yield replaced(
      sample,
      [page],
      withPage(bytes, page, seededBytes(PAGE_SIZE_BYTES, page.number)),
      'random',
    );
  }
}

function* swappedPages(sample: SampleVault, extent: Extent): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('data.db');
  const uses = pageUses(sample);
  for (const [index, a] of uses.entries()) {
    for (const b of uses.slice(index + 1)) {
      if (!isTried(fewer(extent))) continue;
      const swapped = withPage(withPage(bytes, a, pageOf(bytes, b)), b, pageOf(bytes, a));
      yield replaced(sample, [a, b], swapped, 'swapped');
    }
  }
}

function* truncatedDatabase(sample: SampleVault): Generator<ClosedCase> {
  const bytes = sample.snapshot.bytes('data.db');
  const uses = pageUses(sample);
  for (const { number } of uses) {
    const lost = uses.filter((use) => use.number >= number);
    const end = (number - 1) * PAGE_SIZE_BYTES;
    for (const [where, length] of [
      ['before', end],
      ['in', end + 1_000],
    ] as const) {
      const how = `cut off ${where} page ${String(number)}`;
      const each = replaced(sample, lost, bytes.subarray(0, length), how);
      // SQLite refuses a file that is shorter than it says of itself, whatever was in the part that is gone.
      yield {
        ...each,
        judge: (met) => (met.refusal === undefined ? each.judge(met) : isRefused(met, sample.paths.database)),
      };
    }
  }
}

/** There are fewer of these, and each takes longer. */
function fewer(extent: Extent): Extent {
  return { ...extent, oneIn: Math.ceil(extent.oneIn / 20) };
}

function replaced(
  sample: SampleVault,
  damaged: readonly PageUse[],
  bytes: Uint8Array,
  how: string,
): ClosedCase {
  const named = damaged.map(({ number, owner }) => `${String(number)} (${owner})`).join(', ');
  return {
    name: `page ${named}: ${how}`,
    touches: ['data.db'],
    damage: () => {
      writeFileSync(sample.paths.database, bytes);
    },
    judge: (met) => judge(sample, damaged, met),
  };
}

function judge(sample: SampleVault, damaged: readonly PageUse[], met: Encounter): Marks {
  if (damaged.some(isNeededToOpen)) return isRefused(met, sample.paths.database);
  const affected = new Set(damaged.flatMap((page) => filesOn(sample, page)).map(({ path }) => path));
  const marks = isAffecting(met, [...affected]);
  const findings = met.seen?.findings ?? [];
  const byPage = findings.find(({ code }) => code === 'PAGE_DAMAGED')?.message ?? '';
  const isEachNamed = damaged.every(({ number }) => new RegExp(`\\b${String(number)}\\b`).test(byPage));
  return {
    ...marks,
    // Not every file on a page is lost with it: what is read by another way is not refused.
    detected: byPage !== '',
    named:
      marks.named &&
      (isEachNamed || byPage.includes('…')) &&
      (isEachRefusalFound(met) || isListLost(damaged, met)),
  };
}

function isEachRefusalFound({ seen }: Encounter): boolean {
  const refused = [...(seen?.files ?? [])].filter(([, { outcome }]) => outcome === 'refused');
  return refused.every(([path]) => seen?.findings.some((finding) => finding.path === path));
}

/**
 * With the root of the table of files and that of its index both gone, no row can be found any more by any way. What can be named then is the
 * list of files, by the finding of the database, and the pages.
 */
function isListLost(damaged: readonly PageUse[], { seen }: Encounter): boolean {
  const owners = damaged.map(({ owner }) => owner);
  return (
    owners.includes('files') &&
    owners.includes('files_by_path') &&
    seen?.findings.some(
      ({ code, message }) => code === 'DATABASE_DAMAGED' && message.includes('the list of files'),
    ) === true
  );
}

/** Without the schema nothing can be read; without the settings it is not known whether the vault is an older copy, nor how far a rotation came. */
function isNeededToOpen({ number, owner }: PageUse): boolean {
  return number === 1 || owner === 'sqlite_schema' || owner === 'settings';
}

/** The files that a damaged page may take with it. */
export function filesOn({ files }: SampleVault, { owner, isOverflow }: PageUse): readonly SampleFile[] {
  if (owner === 'files') return files;
  if (owner !== 'file_blobs') return [];
  return files.filter(
    ({ sealedName, path }) => sealedName === undefined && (isOverflow ? path === 'pictures/small.bin' : true),
  );
}

function pageOf(bytes: Buffer, { number }: PageUse): Buffer {
  return bytes.subarray((number - 1) * PAGE_SIZE_BYTES, number * PAGE_SIZE_BYTES);
}

function withPage(bytes: Buffer, { number }: PageUse, page: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(page, (number - 1) * PAGE_SIZE_BYTES);
  return copy;
}
