import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededBytes } from '../vault/seeded.ts';
import { PAGE_SIZE_BYTES } from '../vault/sample-database.ts';
import { SampleVault } from '../vault/sample-vault.ts';
import { onePiece, remove, takeUnclean } from '../vault/unclean.ts';
import { closedKind, isAffecting, isRefused } from './closed-case.ts';
import type { ClosedCase } from './closed-case.ts';
import type { Kind } from './kind.ts';
import { marksOfLimit } from './marks-of-limit.ts';

/** Older or other copies of the database in the place of the right one. */
export const oldCopies: readonly Kind[] = [
  closedKind('an older or another database in its place', oldDatabases),
];

/** What no design without a counter outside of the vault can detect; what is asked is only that nothing wrong is given out. */
export const limitsOfPages: readonly Kind[] = [
  closedKind('an older copy of one page of the database', oldPages, { isSlow: true }),
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
