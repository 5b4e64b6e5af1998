import { rebuildDatabase } from '@coffer/database';
import type { FileId, RebuildOptions, RebuiltDatabase, SettingTable } from '@coffer/database';
import { existsSync } from 'node:fs';
import { noteDatabaseRebuilt } from './condition.ts';
import { StorageError, throwIfAborted, toStorageError } from './errors.ts';
import { MIME_SAMPLE_SIZE_BYTES, detectMimeType } from './mime-type.ts';
import { recoveredName } from './recovered-name.ts';
import { SealedFolder } from './sealed-folder.ts';
import { SealedReader } from './sealed-reader.ts';
import { UNCLEAN } from './storage-context.ts';
import type { StorageKeys } from './storage-keys.ts';

export interface RebuildStorageOptions extends Pick<
  RebuildOptions,
  'path' | 'key' | 'finish' | 'onProgress'
> {
  /** The sealed files are in `files/` in it. */
  readonly directory: string;
  /** Whether the next opening looks through that folder, for what the new database does not know; true when not given. */
  readonly recovers?: boolean;
  readonly keys: StorageKeys;
  readonly signal?: AbortSignal | undefined;
  readonly nowMs?: () => number;
}

/**
 * Makes a new database of what can be read of the one at `path`, as `rebuildDatabase` of `@coffer/database` does, with what the sealed files know: their content gives the hashes that are
 * lost. The next opening moves sealed files that no row names to `quarantine/`. Throws `WRONG_KEY`, `EXISTS`, `TOO_NEW`, `NO_SPACE`, `NOT_PERMITTED`, `IN_USE`, `ABORTED`.
 */
export async function rebuildStorage(options: RebuildStorageOptions): Promise<RebuiltDatabase> {
  const { directory, keys, signal, nowMs = Date.now, recovers = true, finish, ...common } = options;
  const doing = 'cannot rebuild the database';
  const folder = new SealedFolder(directory);
  try {
    return await rebuildDatabase({
      ...common,
      nowMs,
      ...(signal === undefined ? {} : { signal }),
      hashSealed: (file) => hashSealed(folder, file, keys, signal),
      nameBytes,
      finish: (settings: SettingTable, found) => {
        if (recovers) settings.set(UNCLEAN, '1');
        else settings.remove(UNCLEAN);
        noteDatabaseRebuilt(settings);
        finish(settings, found);
      },
    });
  } catch (error) {
    throwIfAborted(signal, doing);
    throw toStorageError(error, doing);
  }
}

/** Reads all of it: nothing is believed that is not authentic. */
async function hashSealed(
  folder: SealedFolder,
  file: { readonly id: FileId; readonly name: string; readonly sizeBytes: number },
  keys: StorageKeys,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const { id } = file;
  // A crash may have come between the row and the name.
  const path = existsSync(folder.sealedPath(id)) ? folder.sealedPath(id) : folder.temporaryPath(id);
  try {
    await using reader = await SealedReader.open(path, file, keys);
    return await reader.hash({ pool: undefined, signal });
  } catch (error) {
    throwIfAborted(signal, `cannot read ${file.name}`);
    if (error instanceof StorageError && error.code === 'DAMAGED') return undefined;
    throw error;
  }
}

async function nameBytes(
  id: FileId,
  bytes: Uint8Array,
): Promise<{ readonly name: string; readonly mimeType: string }> {
  const mimeType = await detectMimeType(bytes.subarray(0, MIME_SAMPLE_SIZE_BYTES), '');
  return { name: await recoveredName(id, mimeType), mimeType };
}
