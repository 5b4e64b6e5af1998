import { copyFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Marks } from '../tally.ts';
import type { SampleVault } from '../vault/sample-vault.ts';
import { closedKind, isAffecting, isFound, isHarmless, isRefused } from './closed-case.ts';
import type { ClosedCase, Encounter } from './closed-case.ts';
import type { Kind } from './kind.ts';
import { mainFiles, sideFiles } from './own-files.ts';
import { others, socketInstead } from './stand-ins.ts';

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
