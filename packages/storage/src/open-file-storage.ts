import { SecretKey } from '@coffer/crypto';
import { acquireOwnerLock, createDatabase, openDatabase } from '@coffer/database';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, toStorageError } from './errors.ts';
import { FileStorage } from './file-storage.ts';
import type { Recovery } from './recover.ts';
import { StorageKeys } from './storage-keys.ts';

export interface OpenFileStorageOptions {
  /** Made, 0700, when it does not exist. It gets `data.db`, `files/` and `owner.lock`. */
  readonly directory: string;
  /** 32 random bytes, the caller's to keep: without them nothing can be read again. Copied; zero yours when you like. */
  readonly key: Uint8Array;
  /** Files of at least this size are sealed on their own; 102,400 when not given. */
  readonly thresholdBytes?: number;
  /** Files of at least this size are sealed and opened on several threads; 16 MiB when not given. */
  readonly parallelFromBytes?: number;
}

/** A storage that owns its folder, its database and its keys. */
export interface OwnedFileStorage extends AsyncDisposable {
  readonly storage: FileStorage;
  /** What the last use left to finish or undo, and `undefined` when it ended cleanly. */
  readonly recovery: Recovery | undefined;
  /** Waits for what is running, then closes and zeroes everything. */
  close(): Promise<void>;
}

/**
 * Opens a storage of its own in a folder, with a key of the caller's, and creates it when there is none.
 * Throws `WRONG_KEY`, `IN_USE` (one process at a time), `TOO_NEW`, `DAMAGED`, `INVALID` (a key that is not 32 bytes).
 */
export async function openFileStorage(options: OpenFileStorageOptions): Promise<OwnedFileStorage> {
  const { directory, key, thresholdBytes, parallelFromBytes } = options;
  if (key.length !== 32) throw new StorageError('INVALID', 'the key of a file storage has 32 bytes');
  // What is opened below is closed again, in reverse order, when a later step fails.
  await using opening = new AsyncDisposableStack();
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const rootKey = opening.use(SecretKey.fromBytes(key));
    const databaseKey = opening.use(rootKey.derive('coffer/database/v1'));
    const keys = opening.use(StorageKeys.derive(rootKey));
    opening.use(acquireOwnerLock(join(directory, 'owner.lock')));
    const path = join(directory, 'data.db');
    const raw = databaseKey.exportBytes();
    let database;
    try {
      database = existsSync(path) ? openDatabase({ path, key: raw }) : createDatabase({ path, key: raw });
    } finally {
      raw.fill(0);
    }
    opening.use(database);
    const { storage, recovery } = await FileStorage.open({
      directory,
      database,
      keys,
      databaseKey: () => databaseKey.exportBytes(),
      ...(thresholdBytes === undefined ? {} : { thresholdBytes }),
      ...(parallelFromBytes === undefined ? {} : { parallelFromBytes }),
    });
    opening.defer(() => storage.close());
    const open = opening.move();
    const close = (): Promise<void> => open.disposeAsync();
    return { storage, recovery, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    throw toStorageError(error, `cannot open the storage in ${directory}`);
  }
}
