import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_SIZE_BYTES, pageUses } from '../vault/sample-database.ts';
import { SampleBackup } from '../vault/sample-backup.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { seededBytes } from '../vault/seeded.ts';
import { others } from './stand-ins.ts';
import { isTried } from './kind.ts';
import type { Extent, Kind } from './kind.ts';
import { filesOn } from './pages.ts';
import { isRestored, isRestoredWithout, isRebuilt, isRestoreRefused, runRestore } from './restore-case.ts';
import type { RestoreCase } from './restore-case.ts';

/** Damage to a backup, as it is met by who restores it. */
export const backups: readonly Kind[] = [
  restoreKind('backup.json changed, cut off, replaced, removed', markers),
  restoreKind('what an interrupted backup is finished from', stagedFiles),
  restoreKind('a sealed file of a backup', sealedFiles),
  restoreKind('the database of a backup', databases),
  restoreKind('the salt of the database of a backup', salts),
];

function restoreKind(
  name: string,
  cases: (backup: SampleBackup, sample: SampleVault, extent: Extent) => Iterable<RestoreCase>,
): Kind {
  return {
    name,
    async run(sample, tally, extent) {
      using backup = await SampleBackup.make(sample);
      for (const each of cases(backup, sample, extent)) await runRestore(sample, backup, each, tally);
    },
  };
}

function* markers(backup: SampleBackup, _sample: SampleVault, extent: Extent): Generator<RestoreCase> {
  const path = join(backup.directory, 'backup.json');
  const bytes = backup.snapshot.bytes('backup.json');
  const put = (name: string, changed: Uint8Array, judge: RestoreCase['judge']): RestoreCase => ({
    name,
    damage: () => {
      writeFileSync(path, changed);
    },
    judge,
  });
  for (let offset = 0; offset < bytes.length; offset++) {
    if (!isTried(fewer(extent))) continue;
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(offset) ^ (1 << (offset % 8)), offset);
    // Nothing authenticates it: another id or time is taken for what it is.
    yield put(`byte ${String(offset)}`, copy, (met) =>
      met.refusal === undefined
        ? isRestored(met)
        : isRestoreRefused(met, 'backup.json', ['DAMAGED', 'TOO_NEW']),
    );
    // Without its line end it is the same.
    if (offset < bytes.length - 1)
      yield put(`${String(offset)} bytes`, bytes.subarray(0, offset), (met) =>
        isRestoreRefused(met, 'backup.json'),
      );
  }
  for (const [what, place] of others(backup.root)) {
    yield {
      name: what,
      damage: () => {
        rmSync(path);
        place(path);
      },
      judge: (met) => isRestoreRefused(met, 'backup.json'),
    };
  }
  yield {
    name: 'removed',
    damage: () => {
      rmSync(path);
    },
    judge: (met) => isRestoreRefused(met, backup.directory, ['NO_VAULT']),
  };
}

function* stagedFiles(backup: SampleBackup): Generator<RestoreCase> {
  const commit = join(backup.directory, 'backup.commit');
  const id = '0'.repeat(32);
  const contents: readonly (readonly [string, string, Uint8Array])[] = [
    ['headers', 'other bytes', seededBytes(9000, 1)],
    ['headers', 'a line without an end', Buffer.from(`${id} 01 -`)],
    ['headers', 'half a byte', Buffer.from(`${id} 010 -\n`)],
    ['headers', '4 MiB without a line', Buffer.alloc(4 * 1024 * 1024)],
    ['removed', 'other bytes', seededBytes(9000, 2)],
    ['removed', 'a line without an end', Buffer.from(id)],
    ['removed', 'a path', Buffer.from('../../data.db\n')],
    ['removed', '4 MiB without a line', Buffer.alloc(4 * 1024 * 1024)],
    ['vault.json', 'cut off', backup.snapshot.bytes('vault.json').subarray(0, 400)],
    ['vault.json', '4 MiB of spaces', Buffer.alloc(4 * 1024 * 1024, 0x20)],
    ['backup.json', 'cut off', backup.snapshot.bytes('backup.json').subarray(0, 40)],
    ['data.db', 'other bytes', seededBytes(9000, 3)],
    ['data.db', 'cut off', backup.snapshot.bytes('data.db').subarray(0, 9000)],
  ];
  for (const [name, what, bytes] of contents) {
    yield {
      name: `${name}: ${what}`,
      damage: () => {
        mkdirSync(commit);
        writeFileSync(join(commit, name), bytes);
      },
      judge: (met) =>
        met.refusal === undefined && name === 'data.db' ? isRebuilt(met) : isRestoreRefused(met, name),
    };
  }
  for (const name of ['headers', 'removed', 'vault.json', 'backup.json', 'data.db', 'files']) {
    for (const [what, place] of others(backup.root)) {
      // An empty list is one, and an empty folder of files is that.
      const isNothing =
        (what === 'an empty file' && ['headers', 'removed'].includes(name)) ||
        (what.includes('folder') && name === 'files');
      yield {
        name: `${name}: ${what}`,
        damage: () => {
          mkdirSync(commit);
          place(join(commit, name));
        },
        judge: (met) =>
          isNothing
            ? isRestored(met)
            : isRestoreRefused(met, name, ['DAMAGED', 'NOT_A_FILE', 'NOT_FOUND', 'FAILED']),
      };
    }
  }
}

function* sealedFiles(backup: SampleBackup, sample: SampleVault, extent: Extent): Generator<RestoreCase> {
  for (const { path: item, sealedName } of sample.files) {
    if (sealedName === undefined) continue;
    const path = join(backup.directory, sealedName);
    const bytes = backup.snapshot.bytes(sealedName);
    const each = (name: string, damage: () => void): RestoreCase => ({
      name: `${item}: ${name}`,
      damage,
      judge: (met) => isRestoredWithout(met, [item]),
    });
    const step = bytes.length > 50_000 ? 4999 : 101;
    for (let offset = 0; offset < bytes.length; offset += step) {
      if (!isTried(extent)) continue;
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(offset) ^ (1 << (offset % 8)), offset);
      yield each(`byte ${String(offset)}`, () => {
        writeFileSync(path, copy);
      });
      yield each(`${String(offset)} bytes`, () => {
        writeFileSync(path, bytes.subarray(0, offset));
      });
    }
    yield each('removed', () => {
      rmSync(path);
    });
    // It makes no difference in whose place.
    for (const [what, place] of item === 'pictures/one.bin' ? others(backup.root) : []) {
      yield each(what, () => {
        rmSync(path);
        place(path);
      });
    }
  }
}

/** What the pages of the database are read with, in its two places. */
function* salts(backup: SampleBackup, _sample: SampleVault, extent: Extent): Generator<RestoreCase> {
  const path = join(backup.directory, 'data.db');
  const bytes = backup.snapshot.bytes('data.db');
  const copy = join(backup.directory, 'data.db.reserve');
  const salt = backup.snapshot.bytes('data.db.reserve');
  const flipped = (of: Uint8Array, offset: number): Buffer => {
    const changed = Buffer.from(of);
    changed.writeUInt8(changed.readUInt8(offset) ^ (1 << (offset % 8)), offset);
    return changed;
  };
  const put = (name: string, at: string, changed: Uint8Array, judge: RestoreCase['judge']): RestoreCase => ({
    name,
    damage: () => {
      writeFileSync(at, changed);
    },
    judge,
  });
  const isWhole: RestoreCase['judge'] = (met) => isRestoredWithout(met, [], 'data.db');
  for (let offset = 0; offset < salt.length; offset++) {
    if (!isTried(fewer(extent))) continue;
    yield put(`byte ${String(offset)} of the salt`, path, flipped(bytes, offset), isWhole);
    yield put(`byte ${String(offset)} of the copy`, copy, flipped(salt, offset), isRestored);
    yield put(`${String(offset)} bytes of the copy`, copy, salt.subarray(0, offset), isRestored);
  }
  for (const lost of [salt.length, PAGE_SIZE_BYTES])
    yield put(`the first ${String(lost)} bytes`, path, Buffer.from(bytes).fill(0x55, 0, lost), isWhole);
  yield {
    name: 'the copy removed',
    damage: () => {
      rmSync(copy);
    },
    judge: isRestored,
  };
  for (const [what, place] of others(backup.root)) {
    yield {
      name: `the copy: ${what}`,
      damage: () => {
        rmSync(copy);
        place(copy);
      },
      judge: (met) =>
        what.startsWith('a link') ? isRestoreRefused(met, 'data.db.reserve') : isRestored(met),
    };
  }
  yield {
    name: 'both places',
    damage: () => {
      writeFileSync(path, Buffer.from(bytes).fill(0x55, 0, salt.length));
      rmSync(copy);
    },
    judge: (met) => isRestoreRefused(met, 'data.db'),
  };
}

function* databases(backup: SampleBackup, sample: SampleVault, extent: Extent): Generator<RestoreCase> {
  const path = join(backup.directory, 'data.db');
  const bytes = backup.snapshot.bytes('data.db');
  const uses = pageUses(sample, path);
  // Looking at it has opened it.
  backup.restore();
  for (const page of uses) {
    if (!isTried(fewer(extent))) continue;
    const copy = Buffer.from(bytes);
    copy.fill(0x55, (page.number - 1) * PAGE_SIZE_BYTES, page.number * PAGE_SIZE_BYTES);
    const affected = filesOn(sample, page).map((file) => file.path);
    yield {
      name: `page ${String(page.number)} (${page.owner})`,
      damage: () => {
        writeFileSync(path, copy);
      },
      judge: (met) => isRestoredWithout(met, affected, 'data.db'),
    };
    yield {
      name: `cut off before page ${String(page.number)}`,
      damage: () => {
        writeFileSync(path, bytes.subarray(0, (page.number - 1) * PAGE_SIZE_BYTES));
      },
      judge: (met) => (met.refusal === undefined ? isRebuilt(met) : isRestoreRefused(met, 'data.db')),
    };
  }
  for (const [what, place] of others(backup.root)) {
    yield {
      name: what,
      damage: () => {
        rmSync(path);
        place(path);
      },
      judge: (met) => isRestoreRefused(met, 'data.db'),
    };
  }
}

function fewer(extent: Extent): Extent {
  return { ...extent, oneIn: Math.ceil(extent.oneIn / 20) };
}
