import { CryptoError } from '@coffer/crypto';
import type { FileId } from '@coffer/database';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, throwIfAborted, toStorageError } from './errors.ts';
import { resealFile } from './reseal-file.ts';
import type { ResealTarget } from './reseal-file.ts';
import type { HeaderProblem } from './rewrap.ts';
import { isGone, readHeaderState } from './rewrap-header.ts';
import { shredFile } from './sealed-folder.ts';
import type { StorageContext } from './storage-context.ts';

/** What is known of a resealing before and while it runs. */
export interface ResealProgress {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface ResealOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ResealProgress) => void;
}

export interface ResealResult {
  readonly resealed: number;
  readonly sizeBytes: number;
  /** Files that are damaged, and so keep the file key that they have. */
  readonly damaged: readonly HeaderProblem[];
  /** Files that are still being received or saved, under the file key with which that began: they can be sealed again when they are whole. */
  readonly waiting: readonly HeaderProblem[];
}

const UNFINISHED = 'storage/reseal';

/** Says, durably, that files are to be sealed again under fresh file keys. */
export function beginReseal({ database }: StorageContext): void {
  if (!isResealUnfinished(database)) database.settings.set(UNFINISHED, '1');
}

export function isResealUnfinished(database: StorageContext['database']): boolean {
  return database.settings.get(UNFINISHED) !== undefined;
}

/**
 * Seals every file again whose file key is older than the current key epoch, also those in quarantine. The header's sequence number tells: a file that was sealed
 * under this epoch has 1. So an interrupted resealing goes on where it stopped; and it looks again until nothing is left to do, for files that were being
 * saved when it began. It stays unfinished while a file waits. The disk needs room for the largest file.
 *
 * @throws StorageError ABORTED; what the file system throws (ENOSPC)
 */
export async function resealAll(context: StorageContext, options: ResealOptions): Promise<ResealResult> {
  const { signal, onProgress } = options;
  const damaged = new Map<string, HeaderProblem>();
  const done = { files: 0, bytes: 0, resealed: 0, sizeBytes: 0 };
  for (;;) {
    // Before the rows: what has its final name meanwhile is among those.
    const waiting = await listWaiting(context, signal);
    const todo = (await listOlderKeys(context, signal)).filter(({ path }) => !damaged.has(path));
    if (todo.length === 0) {
      if (waiting.length === 0) context.database.settings.remove(UNFINISHED);
      return { resealed: done.resealed, sizeBytes: done.sizeBytes, damaged: [...damaged.values()], waiting };
    }
    const filesTotal = done.files + todo.length;
    const bytesTotal = done.bytes + todo.reduce((sum, target) => sum + target.sizeBytes, 0);
    for (const target of todo) {
      throwIfAborted(signal, 'cannot reseal the files');
      const report = (bytesOfFile: number): void => {
        onProgress?.({ filesDone: done.files, filesTotal, bytesDone: done.bytes + bytesOfFile, bytesTotal });
      };
      const problem = await resealOne(context, target, done, { ...options, onProgress: report });
      if (problem !== undefined) damaged.set(target.path, problem);
      done.files++;
      done.bytes += target.sizeBytes;
      report(0);
    }
  }
}

interface SizedTarget extends ResealTarget {
  /** About, for a file in quarantine. */
  readonly sizeBytes: number;
}

async function resealOne(
  context: StorageContext,
  target: SizedTarget,
  done: { resealed: number; sizeBytes: number },
  { signal, onProgress }: { readonly signal?: AbortSignal; readonly onProgress: (bytes: number) => void },
): Promise<HeaderProblem | undefined> {
  const { id, path, row } = target;
  try {
    const sizeBytes = await resealFile(context, target, {
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
    if (sizeBytes !== undefined) {
      done.resealed++;
      done.sizeBytes += sizeBytes;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'DAMAGED') throw error;
    // One that was deleted meanwhile is not damaged.
    const isThere = row === undefined ? await exists(path) : context.database.files.find(id) !== undefined;
    return isThere ? { id, path: context.folder.relativePath(path), message: error.message } : undefined;
  }
}

async function listOlderKeys(
  context: StorageContext,
  signal: AbortSignal | undefined,
): Promise<SizedTarget[]> {
  const { database, folder } = context;
  const todo: SizedTarget[] = [];
  for (const row of database.files.iterate({ placement: 'sealed' })) {
    throwIfAborted(signal, 'cannot reseal the files');
    const target = { id: row.id, path: folder.sealedPath(row.id), name: row.name, row };
    if (await hasOlderKey(context, target)) todo.push({ ...target, sizeBytes: row.sizeBytes });
  }
  for (const name of await folder.quarantinedNames()) {
    throwIfAborted(signal, 'cannot reseal the files');
    const found = folder.parseQuarantinedName(name);
    const stat = found === undefined ? undefined : await lstat(found.path).catch(() => undefined);
    if (found === undefined || stat === undefined) continue;
    const target = { ...found, name, row: undefined };
    if (await hasOlderKey(context, target)) todo.push({ ...target, sizeBytes: stat.size });
  }
  return todo;
}

/** A header that cannot be read: resealing says what is wrong with it. */
async function hasOlderKey(
  context: StorageContext,
  { id, path }: { readonly id: FileId; readonly path: string },
): Promise<boolean> {
  try {
    return (await sequenceOf(context, id, path)) !== 1n;
  } catch (error) {
    const isNoFile = isGone(error) || toStorageError(error, `cannot read ${path}`).code === 'NOT_A_FILE';
    if (isNoFile || error instanceof CryptoError) return true;
    throw error;
  }
}

/** Files that are not whole yet, under older file keys; a partial file of a transfer that can't go on is removed, as recovery does. */
async function listWaiting(
  context: StorageContext,
  signal: AbortSignal | undefined,
): Promise<HeaderProblem[]> {
  const { database, folder, turns } = context;
  const waiting: HeaderProblem[] = [];
  for (const name of await folder.names()) {
    throwIfAborted(signal, 'cannot reseal the files');
    const parsed = folder.parseName(name);
    if (parsed.kind !== 'temporary' && parsed.kind !== 'partial') continue;
    const { id } = parsed;
    const path = join(folder.path, name);
    if (parsed.kind === 'partial' && !database.transfers.isResumableFile(id)) {
      await turns.take(id, () => shredFile(path));
      continue;
    }
    const sequence = await sequenceOf(context, id, path).catch(() => undefined);
    // One that has its final name by now; and one that no key opens is of no use to anybody, and was named with the headers.
    if (sequence === undefined || sequence === 1n) continue;
    const doing = parsed.kind === 'partial' ? 'received' : 'saved';
    const message = `${folder.relativePath(path)} is still being ${doing}, under the file key with which that began; it can be sealed again when it is whole`;
    waiting.push({ id, path: folder.relativePath(path), message });
  }
  return waiting;
}

async function sequenceOf({ turns, keys }: StorageContext, id: FileId, path: string): Promise<bigint> {
  return (await turns.take(id, () => readHeaderState(path, id, keys))).sequence;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
