import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleVault } from '../vault/sample-vault.ts';
import { isFound, isHarmless, isRefused } from './closed-case.ts';
import type { ClosedCase } from './closed-case.ts';
import { others } from './stand-ins.ts';

/** What has no bytes of files: it is made anew, or named. */
export function* sideFiles(sample: SampleVault): Generator<ClosedCase> {
  const { directory, ownerLock, quarantine } = sample.paths;
  const reserve = join(directory, 'data.db.reserve');
  const each = (name: string, touches: string, damage: () => void): ClosedCase => ({
    name,
    touches: [touches],
    damage,
    judge: isHarmless,
  });
  yield each('no reserve', 'data.db.reserve', () => {
    rmSync(reserve, { force: true });
  });
  yield each('a reserve of other bytes', 'data.db.reserve', () => {
    writeFileSync(reserve, Buffer.alloc(1_000, 7));
  });
  for (const [what, put] of others(sample.root)) {
    yield {
      ...each(`the reserve: ${what}`, 'data.db.reserve', () => {
        rmSync(reserve, { force: true });
        put(reserve);
      }),
      // What is neither folder nor link, opening replaces.
      judge: (met) =>
        isLink(what)
          ? isRefused(met, 'data.db.reserve')
          : isOneFolder(what)
            ? isFound(met, ['PLACE_TAKEN'], reserve)
            : isHarmless(met),
    };
    yield {
      ...each(`quarantine: ${what}`, 'quarantine', () => {
        put(quarantine);
      }),
      judge: (met) =>
        isLink(what)
          ? isRefused(met, 'quarantine')
          : isOneFolder(what)
            ? isHarmless(met)
            : isFound(met, ['PLACE_TAKEN'], quarantine),
    };
    yield {
      ...each(`the log of the database: ${what}`, 'data.db-wal', () => {
        put(join(directory, 'data.db-wal'));
      }),
      judge: (met) => (what === 'an empty file' ? isHarmless(met) : isRefused(met, 'data.db-wal')),
    };
    for (const name of ['restore.unfinished', 'init.unfinished', 'data.db.rekey', 'data.db.replaced']) {
      if (!isOneFolder(what)) continue;
      yield {
        ...each(`${name}: ${what}`, name, () => {
          put(join(directory, name));
        }),
        judge: (met) => isFound(met, ['PLACE_TAKEN'], name),
      };
    }
  }
  yield each('no owner.lock', 'owner.lock', () => {
    rmSync(ownerLock, { force: true });
  });
  yield each('a second name for a sealed file', '', () => {
    linkSync(sample.sealedPath(sample.file('usual.bin')), join(directory, 'link'));
  });
  yield each('an empty log of the database', 'data.db-wal', () => {
    writeFileSync(join(directory, 'data.db-wal'), '');
  });
  yield each('a log of the database that is nothing', 'data.db-wal', () => {
    writeFileSync(join(directory, 'data.db-wal'), Buffer.alloc(9_000, 9), { mode: 0o600 });
  });
  yield each('a shared memory file that is nothing', 'data.db-shm', () => {
    writeFileSync(join(directory, 'data.db-shm'), Buffer.alloc(9_000, 9), { mode: 0o600 });
  });
  yield each('a rollback journal that is nothing', 'data.db-journal', () => {
    writeFileSync(join(directory, 'data.db-journal'), Buffer.alloc(9_000, 9), { mode: 0o600 });
  });
}

/** One rule for every name of Coffer's: the vault stays closed. */
function isLink(what: string): boolean {
  return what.startsWith('a link');
}

function isOneFolder(what: string): boolean {
  return what === 'an empty folder' || what === 'a folder with a file';
}

/** What the vault does not open without. */
export function* mainFiles(sample: SampleVault): Generator<ClosedCase> {
  const { directory } = sample.paths;
  const refusals = ['DAMAGED', 'NOT_A_FILE', 'NOT_PERMITTED', 'NOT_FOUND'];
  for (const name of ['data.db', 'owner.lock']) {
    const path = join(directory, name);
    for (const [what, put] of others(sample.root)) {
      // An empty lock is what a lock is.
      const isRight = name === 'owner.lock' && what === 'an empty file';
      yield {
        name: `${name}: ${what}`,
        touches: [name],
        damage: () => {
          rmSync(path, { force: true });
          put(path);
        },
        judge: (met) => (isRight ? isHarmless(met) : isRefused(met, name, refusals)),
      };
    }
  }
  for (const [what, put] of others(sample.root)) {
    yield {
      name: `vault.json: ${what}`,
      touches: ['vault.json'],
      damage: () => {
        rmSync(sample.paths.vaultFile);
        put(sample.paths.vaultFile);
      },
      judge: (met) =>
        isLink(what) ? isRefused(met, 'vault.json') : isFound(met, ['VAULT_FILE_COPY'], 'vault.json'),
    };
  }
  yield {
    name: 'data.db removed',
    touches: ['data.db'],
    damage: () => {
      rmSync(sample.paths.database);
    },
    judge: (met) => isRefused(met, 'data.db'),
  };
  yield {
    name: 'owner.lock: text',
    touches: ['owner.lock'],
    damage: () => {
      writeFileSync(sample.paths.ownerLock, 'locked by somebody\n'.repeat(300));
    },
    judge: (met) => isRefused(met, 'owner.lock', refusals),
  };
}
