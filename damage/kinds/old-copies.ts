import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Vault } from '../../packages/vault/src/index.ts';
import type { Marks } from '../tally.ts';
import { seededBytes } from '../vault/seeded.ts';
import { PAGE_SIZE_BYTES } from '../vault/sample-database.ts';
import { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isAffecting, isFound, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';

/** Older or other copies of the database in the place of the right one. */
export const oldCopies: readonly Kind[] = [
  closedKind('an older or another database in its place', oldDatabases),
];

/** What no design without a counter outside of the vault can detect; what is asked is only that nothing wrong is given out. */
export const documentedLimits: readonly Kind[] = [
  closedKind('an older copy of one page of the database', oldPages, { isSlow: true }),
  closedKind('the log of a crash damaged, cut off, removed', brokenLogs, { isSlow: true }),
];

async function* oldDatabases(sample: SampleVault): AsyncGenerator<ClosedCase> {
  using other = await SampleVault.make(2);
  const old = sample.snapshot.bytes('data.db');
  yield {
    name: 'data.db of another vault',
    touches: ['data.db'],
    damage: () => {
      writeFileSync(sample.paths.database, other.snapshot.bytes('data.db'));
    },
    judge: (met) => isRefused(met, 'data.db'),
  };
  let added = '';
  yield {
    name: 'an older one, after files came and went',
    touches: ['data.db'],
    damage: async () => {
      added = await addAndRemove(sample);
      writeFileSync(sample.paths.database, old);
    },
    judge: (met) => {
      const marks = isAffecting(met, ['usual.bin']);
      // The newer file is nobody's for this database; it is kept.
      const isKept = existsSync(join(sample.paths.files, `${added}.enc`));
      const isSaid = met.seen?.findings.some(
        ({ code, message }) => code === 'FILE_UNREFERENCED' && message.includes(added),
      );
      return {
        ...marks,
        detected: marks.detected && isSaid === true,
        othersIntact: marks.othersIntact && isKept,
      };
    },
  };
  yield {
    name: 'an older one of a session that did not end, after a file came',
    touches: ['data.db'],
    damage: async () => {
      const taken = await takeUnclean(sample);
      added = await addAndRemove(sample);
      for (const [name, bytes] of taken) writeFileSync(join(sample.paths.directory, name), bytes);
    },
    judge: (met) => {
      const marks = isAffecting(met, ['usual.bin']);
      const isKept = existsSync(join(sample.paths.quarantine, `${added}.enc`));
      const isSaid = met.warnings.some((line) => line.includes('quarantine'));
      return { ...marks, detected: marks.detected && isSaid, othersIntact: marks.othersIntact && isKept };
    },
  };
}

/** Adds a sealed file and removes another; returns the id of the one that came. */
async function addAndRemove(sample: SampleVault): Promise<string> {
  await using vault = await sample.open();
  const event = await vault.addStream(onePiece(seededBytes(150_000, 5)), { name: 'newer' });
  await remove(vault, 'usual.bin');
  if (event.type !== 'added') throw new Error('it was not added');
  return event.file.id;
}

async function remove(vault: Vault, path: string): Promise<void> {
  for await (const event of vault.removePaths([path])) {
    if (event.type === 'failed') throw event.error;
  }
}

/** The database and its log as they are in the middle of a session that changes sealed files. */
async function takeUnclean(sample: SampleVault): Promise<Map<string, Buffer>> {
  await using vault = await sample.open();
  await vault.addStream(onePiece(seededBytes(120_000, 6)), { name: 'passing' });
  await remove(vault, 'passing');
  return new Map(
    ['data.db', 'data.db-wal'].map((name) => [name, copyOf(join(sample.paths.directory, name), sample.root)]),
  );
}

/** Read from a copy: opening and closing the file itself here would drop the lock that SQLite has on it. */
function copyOf(path: string, folder: string): Buffer {
  const copy = join(folder, 'copy');
  copyFileSync(path, copy);
  const bytes = readFileSync(copy);
  rmSync(copy);
  return bytes;
}

async function* oldPages(sample: SampleVault): AsyncGenerator<ClosedCase> {
  const old = sample.snapshot.bytes('data.db');
  {
    await using vault = await sample.open();
    vault.move('letter.txt', 'renamed.txt');
    vault.tag('empty', { add: ['new'] });
    await vault.addStream(onePiece(seededBytes(30_000, 8)), { name: 'more' });
  }
  const now = readFileSync(sample.paths.database);
  sample.snapshot.restore();
  for (let start = 0; start < old.length; start += PAGE_SIZE_BYTES) {
    const page = old.subarray(start, start + PAGE_SIZE_BYTES);
    if (page.equals(now.subarray(start, start + PAGE_SIZE_BYTES))) continue;
    const mixed = Buffer.from(now);
    mixed.set(page, start);
    yield {
      name: `page ${String(start / PAGE_SIZE_BYTES + 1)}`,
      touches: ['data.db'],
      damage: () => {
        writeFileSync(sample.paths.database, mixed);
      },
      judge: marksOfLimit,
    };
  }
}

async function* brokenLogs(sample: SampleVault, extent: Extent): AsyncGenerator<ClosedCase> {
  const taken = await takeUnclean(sample);
  sample.snapshot.restore();
  const log = taken.get('data.db-wal') ?? Buffer.alloc(0);
  const each = (name: string, bytes: Uint8Array | undefined): ClosedCase => ({
    name,
    touches: ['data.db', 'data.db-wal'],
    damage: () => {
      for (const [file, content] of taken) writeFileSync(join(sample.paths.directory, file), content);
      const path = join(sample.paths.directory, 'data.db-wal');
      if (bytes === undefined) rmSync(path);
      else writeFileSync(path, bytes);
    },
    judge: marksOfLimit,
  });
  yield each('removed', undefined);
  yield each('empty', Buffer.alloc(0));
  for (let offset = 0; offset < log.length; offset += 997) {
    if (!isTried({ ...extent, oneIn: Math.ceil(extent.oneIn / 40) })) continue;
    yield each(`cut off at ${String(offset)}`, log.subarray(0, offset));
    const copy = Buffer.from(log);
    copy.writeUInt8(copy.readUInt8(offset) ^ 1, offset);
    yield each(`byte ${String(offset)}`, copy);
  }
}

/** `detected` is what it is. Everything else is asked as everywhere. */
function marksOfLimit(met: Encounter): Marks {
  const { refusal, seen } = met;
  if (refusal !== undefined) return isRefused(met, 'data.db');
  const refused = [...(seen?.files ?? [])].filter(([, { outcome }]) => outcome === 'refused');
  const isFoundAtAll = (seen?.findings.length ?? 0) > 0;
  return {
    ...isFound(met, []),
    detected: isFoundAtAll,
    named: refused.every(
      ([path]) => path === 'letter.txt' || seen?.findings.some((each) => each.path === path),
    ),
    advised: seen?.findings.every(({ remedy }) => remedy !== '') === true,
    othersIntact: refused.every(([path]) => path === 'letter.txt'),
  };
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
