import { isUtf8 } from 'node:buffer';
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import picomatch from 'picomatch';
import { VaultError, errnoToVaultError } from '../errors.ts';
import { pathFrom } from './local-path.ts';
import type { OwnFiles } from './own-files.ts';
import { joinPath } from './file-entry.ts';

/** Why something was passed over. None of these is ever opened. `empty`: a folder with nothing in it, which a vault has no place for. */
export type SkipReason = 'link' | 'fifo' | 'socket' | 'device' | 'folder' | 'vault' | 'empty';

export type Walked =
  | {
      readonly kind: 'file';
      readonly source: string;
      readonly folder: string;
      readonly name: string;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'skipped'; readonly source: string; readonly reason: SkipReason }
  | { readonly kind: 'failed'; readonly source: string; readonly error: VaultError };

export interface WalkOptions {
  readonly recursive: boolean;
  /** The folder of the vault that everything goes to. */
  readonly folder: string;
  /** Absolute: where relative paths are taken from. */
  readonly cwd: string;
  /** Globs: without a slash they match names at any depth, with one the path below what was given. */
  readonly exclude: readonly string[];
  /** The vault's own folder and files, which are never opened: a vault can't hold itself. */
  readonly own: OwnFiles;
}

/** Lists what `paths` stand for on this machine, one by one, in the order of names. Links are not followed. */
export async function* walkSources(
  paths: readonly string[],
  options: WalkOptions,
): AsyncGenerator<Walked, void, undefined> {
  const isExcluded = excluder(options.exclude);
  for (const path of paths) {
    // `.` and `..` have no name to keep: their content goes where the folder itself would have gone.
    const named = !/(^|[\\/])\.{1,2}[\\/]*$/.test(path) && basename(resolve(options.cwd, path)) !== '';
    const name = basename(resolve(options.cwd, path));
    yield* walk(
      { source: path, folder: options.folder, name: named ? name : undefined, below: '' },
      options,
      isExcluded,
    );
  }
}

interface Step {
  readonly source: string;
  readonly folder: string;
  /** `undefined` for a folder whose content takes its place. */
  readonly name: string | undefined;
  /** The path below what was given, for globs. */
  readonly below: string;
}

async function* walk(
  step: Step,
  options: WalkOptions,
  isExcluded: (below: string) => boolean,
): AsyncGenerator<Walked, void, undefined> {
  const { source, name } = step;
  let stat;
  try {
    stat = await lstat(pathFrom(options.cwd, source));
  } catch (error) {
    yield { kind: 'failed', source, error: errnoToVaultError(error, `cannot add ${source}`) };
    return;
  }
  if (step.below !== '' && isExcluded(step.below)) return;
  const reason = await skipReason(stat, step, options);
  if (reason !== undefined) {
    yield { kind: 'skipped', source, reason };
  } else if (stat.isDirectory()) {
    yield* walkFolder(step, options, isExcluded);
  } else if (name !== undefined) {
    yield { kind: 'file', source, folder: step.folder, name, sizeBytes: stat.size };
  }
}

async function* walkFolder(
  step: Step,
  options: WalkOptions,
  isExcluded: (below: string) => boolean,
): AsyncGenerator<Walked, void, undefined> {
  const folder = step.name === undefined ? step.folder : joinPath(step.folder, step.name);
  let names;
  try {
    names = await namesIn(pathFrom(options.cwd, step.source));
  } catch (error) {
    yield {
      kind: 'failed',
      source: step.source,
      error: errnoToVaultError(error, `cannot read folder ${step.source}`),
    };
    return;
  }
  if (names.length === 0) yield { kind: 'skipped', source: step.source, reason: 'empty' };
  for (const raw of names) {
    const name = raw.toString('utf8');
    const source = join(step.source, name);
    if (isUtf8(raw)) {
      yield* walk({ source, folder, name, below: joinPath(step.below, name) }, options, isExcluded);
    } else {
      const message = `cannot add ${source}: its name is not valid UTF-8`;
      yield {
        kind: 'failed',
        source,
        error: new VaultError('INVALID_INPUT', message, { hint: 'rename it first' }),
      };
    }
  }
}

async function namesIn(path: string): Promise<Buffer[]> {
  // As bytes: a name that is not UTF-8 must be named, not silently changed into another one.
  const names = await readdir(path, { encoding: 'buffer' });
  return names.sort((a, b) => Buffer.compare(a, b));
}

async function skipReason(stat: Stats, step: Step, options: WalkOptions): Promise<SkipReason | undefined> {
  if (stat.isSymbolicLink()) return 'link';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  if (
    options.own.includes(stat) ||
    (step.below === '' && (await options.own.contains(pathFrom(options.cwd, step.source))))
  )
    return 'vault';
  if (stat.isDirectory()) return options.recursive ? undefined : 'folder';
  return stat.isFile() ? undefined : 'device';
}

function excluder(globs: readonly string[]): (below: string) => boolean {
  const matchers = globs.map((glob) => {
    const bySlash = glob.replace(/\/$/, '').includes('/');
    return picomatch(glob.replace(/^\//, '').replace(/\/$/, ''), { dot: true, basename: !bySlash });
  });
  return (below) => matchers.some((matches) => matches(below));
}
