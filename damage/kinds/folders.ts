import { execFileSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Marks } from '../tally.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isAffecting, isFound, isHarmless, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import type { Kind } from './kind.ts';

/** What else than the right file can stand under a name of the vault's folder. */
export const folders: readonly Kind[] = [
  closedKind('a sealed file removed, renamed, or something else in its place', sealedEntries, {
    isSlow: true,
  }),
  closedKind('the folder of sealed files removed or replaced', sealedFolder),
  closedKind('something that is not of the vault in its folders', strangers, { isSlow: true }),
  closedKind(
    'what has no bytes of files: reserve, lock, log, quarantine, marks of what was begun',
    sideFiles,
    { isSlow: true },
  ),
  closedKind('something else in the place of data.db, vault.json or owner.lock', mainFiles, { isSlow: true }),
];

const STRANGE_ID = '0123456789abcdef0123456789abcdef';

function* sealedEntries(sample: SampleVault): Generator<ClosedCase> {
  for (const file of sample.files) {
    if (file.sealedName === undefined) continue;
    const path = sample.sealedPath(file);
    const each = (name: string, damage: () => void, after?: () => void): ClosedCase => ({
      name: `${file.path}: ${name}`,
      touches: [file.sealedName ?? ''],
      damage,
      judge: (met) => isAffecting(met, [file.path]),
      ...(after === undefined ? {} : { after }),
    });
    yield each('removed', () => {
      rmSync(path);
    });
    yield each('under another id', () => {
      renameSync(path, join(sample.paths.files, `${STRANGE_ID}.enc`));
    });
    yield each('under a name with capitals', () => {
      renameSync(path, join(sample.paths.files, `${file.id.toUpperCase()}.ENC`));
    });
    for (const [what, put] of others(sample.root)) {
      yield each(what, () => {
        rmSync(path);
        put(path);
      });
    }
    yield each(
      'a link to a copy of it',
      () => {
        renameSync(path, join(sample.root, 'moved'));
        symlinkSync(join(sample.root, 'moved'), path);
      },
      () => {
        rmSync(join(sample.root, 'moved'), { force: true });
      },
    );
    yield* socketInstead(file.path, file.sealedName, path);
  }
}

/** What can be made under a name instead of a file. One of them leads to what is not there in `root`. */
export function others(root: string): readonly (readonly [string, (path: string) => void])[] {
  return [
    [
      'an empty file',
      (path): void => {
        writeFileSync(path, '', { mode: 0o600 });
      },
    ],
    [
      'an empty folder',
      (path): void => {
        mkdirSync(path, { mode: 0o700 });
      },
    ],
    [
      'a folder with a file',
      (path): void => {
        mkdirSync(path, { mode: 0o700 });
        writeFileSync(join(path, 'x'), 'x');
      },
    ],
    [
      'a link to nothing',
      (path): void => {
        symlinkSync(join(root, 'nothing'), path);
      },
    ],
    [
      'a link to itself',
      (path): void => {
        symlinkSync(path, path);
      },
    ],
    [
      'a link to a device that never ends',
      (path): void => {
        symlinkSync('/dev/zero', path);
      },
    ],
    [
      'a FIFO',
      (path): void => {
        execFileSync('mkfifo', ['-m', '600', path]);
      },
    ],
  ];
}

function* socketInstead(shown: string, name: string, path: string): Generator<ClosedCase> {
  let server: Server | undefined;
  yield {
    name: `${shown}: a socket`,
    touches: [name],
    damage: async () => {
      rmSync(path);
      const listening = createServer();
      server = listening;
      await new Promise<void>((done) => listening.listen(path, done));
    },
    judge: (met) => isAffecting(met, [shown]),
    after: async () => {
      await new Promise((done) => server?.close(done));
    },
  };
}

function* sealedFolder(sample: SampleVault): Generator<ClosedCase> {
  const sealed = sample.files.filter(({ sealedName }) => sealedName !== undefined).map(({ path }) => path);
  const { files } = sample.paths;
  const each = (name: string, damage: () => void, judge: (met: Encounter) => Marks): ClosedCase => ({
    name,
    touches: sample.snapshot.names.filter((path) => path.startsWith('files/')),
    damage,
    judge,
  });
  yield each(
    'removed',
    () => {
      rmSync(files, { recursive: true });
    },
    (met) => isAffecting(met, sealed),
  );
  yield each(
    'emptied',
    () => {
      rmSync(files, { recursive: true });
      mkdirSync(files);
    },
    (met) => isAffecting(met, sealed),
  );
  for (const [what, put] of others(sample.root)) {
    if (what.includes('folder')) continue;
    yield each(
      what,
      () => {
        rmSync(files, { recursive: true });
        put(files);
      },
      (met) =>
        met.refusal === undefined
          ? isAffecting(met, sealed)
          : isRefused(met, 'files', ['DAMAGED', 'NOT_A_FILE']),
    );
  }
}

function* strangers(sample: SampleVault): Generator<ClosedCase> {
  const { files, directory } = sample.paths;
  const each = (name: string, damage: () => void, judge: (met: Encounter) => Marks): ClosedCase => ({
    name,
    touches: [],
    damage,
    judge,
  });
  for (const name of [
    'notes.txt',
    'x.enc',
    `${STRANGE_ID}.enc.old`,
    `${STRANGE_ID.toUpperCase()}.enc`,
    ' ',
    '\n\u001b[2J',
    '.enc',
  ]) {
    yield each(
      `files/${JSON.stringify(name)}`,
      () => {
        writeFileSync(join(files, name), 'x');
      },
      (met) => isFound(met, ['NAME_UNKNOWN']),
    );
  }
  yield each(
    'a sealed file without a row',
    () => {
      copyFileSync(sample.sealedPath(sample.file('pictures/one.bin')), join(files, `${STRANGE_ID}.enc`));
    },
    (met) => isFound(met, ['FILE_UNREFERENCED'], STRANGE_ID),
  );
  for (const ending of ['enc.tmp', 'enc.part', 'enc.replaced']) {
    yield each(
      `a .${ending} of nothing that was interrupted`,
      () => {
        writeFileSync(join(files, `${STRANGE_ID}.${ending}`), 'x');
      },
      (met) => isFound(met, ['FILE_LEFT_OVER'], STRANGE_ID),
    );
  }
  for (const [what, put] of others(sample.root)) {
    yield each(
      `${what} under a new name`,
      () => {
        put(join(files, `${STRANGE_ID}.enc`));
      },
      (met) => isFound(met, ['FILE_UNREFERENCED'], STRANGE_ID),
    );
  }
  yield each(
    'a file in the vault’s own folder',
    () => {
      writeFileSync(join(directory, 'notes.txt'), 'x');
    },
    isHarmless,
  );
}

function* sideFiles(sample: SampleVault): Generator<ClosedCase> {
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
      // What is no folder, and leads somewhere, opening replaces.
      judge: (met) =>
        isOneFolder(what) || what === 'a link to itself'
          ? isFound(met, ['PLACE_TAKEN'], reserve)
          : isHarmless(met),
    };
    yield {
      ...each(`quarantine: ${what}`, 'quarantine', () => {
        put(quarantine);
      }),
      judge: (met) => (isOneFolder(what) ? isHarmless(met) : isFound(met, ['PLACE_TAKEN'], quarantine)),
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

function isOneFolder(what: string): boolean {
  return what === 'an empty folder' || what === 'a folder with a file';
}

function* mainFiles(sample: SampleVault): Generator<ClosedCase> {
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
      judge: (met) => isFound(met, ['VAULT_FILE_COPY'], 'vault.json'),
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
