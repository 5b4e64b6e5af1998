import { CryptoError } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { throwIfAborted, toStorageError } from './errors.ts';
import { replacedPath } from './replace-file.ts';
import { isGone, readHeaderState, rewrapHeader } from './rewrap-header.ts';
import type { StorageContext } from './storage-context.ts';

/** A file that keeps an earlier header, or an earlier file key. */
export interface HeaderProblem {
  readonly id: FileId;
  /** Its path, relative to the folder of the storage. */
  readonly path: string;
  readonly message: string;
}

export interface RewrapResult {
  /** Headers that are under the current epoch now and were not before. */
  readonly rewrapped: number;
  /** No key opens these headers, not that of an earlier epoch either: nothing is lost by forgetting it. */
  readonly damaged: readonly HeaderProblem[];
  /** These could not be read or written this time: the keys of earlier epochs are still needed for them. */
  readonly failed: readonly HeaderProblem[];
}

export interface RewrapOptions {
  readonly signal?: AbortSignal;
  /** Files looked at so far, and how many there are. */
  readonly onProgress?: (filesDone: number, filesTotal: number) => void;
}

/** How many headers are worked on at a time: each waits for two syncs. */
const AT_ONCE = 16;

/**
 * Brings every header of the storage to the current key epoch: sealed files, temporary ones of saves that are under way, partial ones that are being
 * received, and those in quarantine. Goes on where an earlier call stopped. The time grows with the number of files, not with their bytes; the
 * storage can be used meanwhile. It looks again until one pass has found nothing to do, so when `failed` is empty nothing under an earlier
 * epoch is left.
 */
export async function rewrapAll(context: StorageContext, options: RewrapOptions): Promise<RewrapResult> {
  let rewrapped = 0;
  for (;;) {
    const pass = await rewrapOnce(context, options);
    rewrapped += pass.rewrapped;
    if (pass.rewrapped === 0) return { ...pass, rewrapped };
  }
}

/** How many sealed files of rows there are under each key epoch. */
export interface EpochCount {
  readonly byEpoch: ReadonlyMap<number, number>;
  /** Those whose header is missing or opens under no key. */
  readonly unreadable: number;
}

/** Reads every sealed file's header. */
export async function countEpochs(context: StorageContext, signal?: AbortSignal): Promise<EpochCount> {
  const byEpoch = new Map<number, number>();
  let unreadable = 0;
  for (const { id } of context.database.files.iterate({ placement: 'sealed' })) {
    throwIfAborted(signal, 'cannot count the files of each key epoch');
    try {
      const { keyEpoch } = await context.turns.take(id, () =>
        readHeaderState(context.folder.sealedPath(id), id, context.keys),
      );
      byEpoch.set(keyEpoch, (byEpoch.get(keyEpoch) ?? 0) + 1);
    } catch {
      unreadable++;
    }
  }
  return { byEpoch, unreadable };
}

async function rewrapOnce(
  context: StorageContext,
  { signal, onProgress }: RewrapOptions,
): Promise<RewrapResult> {
  const targets = await listTargets(context);
  const result = { rewrapped: 0, damaged: [] as HeaderProblem[], failed: [] as HeaderProblem[] };
  const queue = targets[Symbol.iterator]();
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      throwIfAborted(signal, 'cannot rewrap the headers');
      const [id, paths] = next.value;
      await context.turns.take(id, async () => {
        for (const path of paths) await rewrapOne(context, id, path, result);
      });
      done++;
      onProgress?.(done, targets.size);
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  // None of them is still at work when this throws.
  const failure = workers.find((worker) => worker.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return result;
}

/**
 * Every file that may have a header, with all names that it may have now or by the time of its turn: a save gives a file another name.
 * Those that are not made yet are in `unsettled`.
 */
async function listTargets({ folder, unsettled }: StorageContext): Promise<Map<FileId, Set<string>>> {
  const targets = new Map<FileId, Set<string>>();
  const pathsOf = (id: FileId): Set<string> => {
    const known = targets.get(id);
    if (known !== undefined) return known;
    const sealed = folder.sealedPath(id);
    const paths = new Set([sealed, folder.temporaryPath(id), folder.partialPath(id), replacedPath(sealed)]);
    targets.set(id, paths);
    return paths;
  };
  for (const name of await folder.quarantinedNames()) {
    const found = folder.parseQuarantinedName(name);
    if (found !== undefined) pathsOf(found.id).add(found.path);
  }
  for (const name of await folder.names()) {
    const parsed = folder.parseName(name);
    if (parsed.kind !== 'unknown') pathsOf(parsed.id);
  }
  for (const id of unsettled) pathsOf(id);
  return targets;
}

async function rewrapOne(
  { folder, keys }: StorageContext,
  id: FileId,
  path: string,
  result: { rewrapped: number; damaged: HeaderProblem[]; failed: HeaderProblem[] },
): Promise<void> {
  try {
    if (await rewrapHeader(path, id, keys)) result.rewrapped++;
  } catch (error) {
    if (isGone(error)) return;
    const { code, message } = toStorageError(error, `cannot rewrap the header of ${path}`);
    const problem = { id, path: folder.relativePath(path), message };
    // A folder or a link in the place of a sealed file has no header either.
    if (error instanceof CryptoError || code === 'NOT_A_FILE') result.damaged.push(problem);
    else result.failed.push(problem);
  }
}
