import type { FileRow } from '@coffer/database';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toStorageError } from '../errors.ts';
import type { StorageError } from '../errors.ts';
import { SealedFolder, shredFile } from '../sealed-folder.ts';
import type { StorageContext } from '../storage-context.ts';
import { keepUnnamed } from './keep-unnamed.ts';
import { SealedCopies } from './sealed-copies.ts';

export interface RestoreFilesOptions {
  /** The folder that has the `files/` to restore from; nothing in it is changed. */
  readonly source: string;
  /** Whether sealed files that no row names are copied to the quarantine. */
  readonly keepsUnnamed?: boolean;
  readonly signal?: AbortSignal;
  /** Called with the bytes of content that are done so far. */
  readonly onProgress?: (bytesDone: number) => void;
}

/** A file of which the source has nothing, or only a part. */
export interface NotRestored {
  readonly file: FileRow;
  readonly error: StorageError;
}

/**
 * Copies the sealed files that the rows of a storage name from another folder into its own, where each has its name only when it is whole and durable;
 * what was copied before is not copied again. Then removes sealed files that no row names. Yields what is not to be had, and marks it in its row.
 */
export async function* restoreFiles(
  context: StorageContext,
  run: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>,
  { source, keepsUnnamed = false, signal, onProgress }: RestoreFilesOptions,
): AsyncGenerator<NotRestored, void, undefined> {
  const { database, folder } = context;
  try {
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    const from = new SealedFolder(source);
    const copies = new SealedCopies({ ...context, folder: from }, undefined, folder);
    let bytesDone = 0;
    for (const file of database.files.iterate({ placement: 'sealed' })) {
      const secured = await run((own) =>
        copies.secure(file, {
          dryRun: false,
          verify: false,
          signal: signal === undefined ? own : AbortSignal.any([own, signal]),
          onProgress: (bytes) => onProgress?.(bytesDone + Math.min(bytes, file.sizeBytes)),
        }),
      );
      bytesDone += file.sizeBytes;
      onProgress?.(bytesDone);
      if (secured.kind !== 'failed') continue;
      database.files.setCondition(file.id, secured.has === 'nothing' ? 'missing' : 'damaged');
      yield { file, error: secured.error };
    }
    await removeStrangers(context);
    await removeQuarantined(context, keepsUnnamed ? await from.names() : []);
    if (keepsUnnamed) await run((own) => keepUnnamed(context, from, signal ?? own));
    await folder.sync();
  } catch (error) {
    throw toStorageError(error, `cannot restore the files of ${source}`);
  }
}

/** What an earlier attempt copied of another state of the vault. */
async function removeStrangers({ database, folder }: StorageContext): Promise<void> {
  for (const name of await folder.names()) {
    const parsed = folder.parseName(name);
    if (parsed.kind === 'temporary') await shredFile(folder.temporaryPath(parsed.id));
    const isNamed = parsed.kind !== 'sealed' || database.files.find(parsed.id)?.placement === 'sealed';
    if (!isNamed) await shredFile(folder.sealedPath(parsed.id));
  }
}

/** What an earlier attempt put there of another state of the vault. */
async function removeQuarantined({ folder }: StorageContext, wanted: readonly string[]): Promise<void> {
  for (const name of await folder.quarantinedNames()) {
    if (!wanted.includes(name)) await shredFile(join(folder.quarantinePath, name));
  }
}
