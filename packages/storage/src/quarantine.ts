import type { FileId, FileRow } from '@coffer/database';
import { lstat, unlink } from 'node:fs/promises';
import { errnoOf } from './errno.ts';
import { StorageError, toStorageError } from './errors.ts';
import { shredFile, syncFolder } from './sealed-folder.ts';
import { SealedReader } from './sealed-reader.ts';
import type { StorageContext } from './storage-context.ts';

/** A sealed file that no row named when it was found, as it is in `quarantine/`. */
export interface QuarantinedFile {
  /** In `quarantine/`: the id, `.enc`, and a number when there is another one of that id. */
  readonly name: string;
  readonly id: FileId;
  /** Of the sealed file. */
  readonly sizeBytes: number;
  /** When the sealed file was last written, which is mostly when it was saved. */
  readonly modifiedAtMs: number;
  /** Of its content; `undefined` when it does not open with a key of this storage. */
  readonly contentSizeBytes: number | undefined;
  /** Why it does not open. */
  readonly problem: StorageError | undefined;
  /** The row of that id, whose own sealed file may be missing. */
  readonly row: FileRow | undefined;
}

/** What is in the quarantine. Opens the header and the final segment of each; its content is not read. */
export async function listQuarantine(context: StorageContext): Promise<QuarantinedFile[]> {
  try {
    const found: QuarantinedFile[] = [];
    for (const name of await context.folder.quarantinedNames()) {
      const file = await look(context, name);
      if (file !== undefined) found.push(file);
    }
    return found;
  } catch (error) {
    throw toStorageError(error, 'cannot list the quarantine');
  }
}

async function look(context: StorageContext, name: string): Promise<QuarantinedFile | undefined> {
  const { id, path } = locate(context, name);
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return undefined;
  const about = { name, id, sizeBytes: stat.size, modifiedAtMs: Math.round(stat.mtimeMs) };
  const row = context.database.files.find(id);
  try {
    const { reader, sizeBytes } = await context.turns.take(id, () =>
      SealedReader.openUnsized(path, { id, name }, context.keys),
    );
    await reader[Symbol.asyncDispose]();
    return { ...about, contentSizeBytes: sizeBytes, problem: undefined, row };
  } catch (error) {
    const problem = toStorageError(error, `cannot open ${name}`);
    return { ...about, contentSizeBytes: undefined, problem, row };
  }
}

/**
 * Destroys a file in the quarantine: its key is overwritten before it is unlinked. A file that has a second name, in the quarantine or
 * as a file of the storage, only loses this one. Throws `NOT_FOUND`.
 */
export async function dropQuarantined(context: StorageContext, name: string): Promise<void> {
  const { id, path } = locate(context, name);
  try {
    await lstat(path);
    await context.turns.take(id, async () => {
      await ((await context.folder.hasOtherName(id, path)) ? unlink(path) : shredFile(path));
    });
    await syncFolder(context.folder.quarantinePath);
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' ? notThere(name) : toStorageError(error, `cannot drop ${name}`);
  }
}

/** The id and the path behind a name in the quarantine. Throws `NOT_FOUND`. */
export function locate(
  { folder }: StorageContext,
  name: string,
): { readonly id: FileId; readonly path: string } {
  const found = folder.parseQuarantinedName(name);
  if (found === undefined) throw notThere(name);
  return found;
}

export function notThere(name: string): StorageError {
  return new StorageError('NOT_FOUND', `there is no ${name} in the quarantine`);
}
