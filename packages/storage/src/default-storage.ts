import type { FileId, FileRow } from '@coffer/database';
import type { DeleteResult } from './delete-file.ts';
import { StorageError } from './errors.ts';
import type { FileSource } from './file-source.ts';
import type { FileStorage } from './file-storage.ts';
import { openFileStorage } from './open-file-storage.ts';
import type { OpenFileStorageOptions, OwnedFileStorage } from './open-file-storage.ts';
import type { SaveOptions } from './save-options.ts';

// One storage for a whole application, for those who want no more than `saveFile(…)`. There is no default key on purpose:
// a random one would die with the process, and the files with it.
let configured: Promise<OwnedFileStorage> | undefined;

/** Opens the application's storage. Call it once, before the functions below; throws as `openFileStorage` does. */
export async function configureFileStorage(options: OpenFileStorageOptions): Promise<FileStorage> {
  if (configured !== undefined) throw new StorageError('IN_USE', 'the file storage is configured already');
  configured = openFileStorage(options);
  try {
    return (await configured).storage;
  } catch (error) {
    configured = undefined;
    throw error;
  }
}

/** Closes the application's storage; it can then be configured again. */
export async function closeFileStorage(): Promise<void> {
  const closing = configured;
  configured = undefined;
  await (await closing)?.close();
}

/** The application's storage. Throws `NOT_CONFIGURED` before `configureFileStorage`. */
export async function getFileStorage(): Promise<FileStorage> {
  if (configured === undefined) {
    throw new StorageError('NOT_CONFIGURED', 'call configureFileStorage({ directory, key }) first');
  }
  return (await configured).storage;
}

export async function saveFile(source: FileSource, options: SaveOptions): Promise<FileRow> {
  return (await getFileStorage()).saveFile(source, options);
}

export async function getFile(id: FileId): Promise<Uint8Array> {
  return (await getFileStorage()).getFile(id);
}

export async function deleteFile(id: FileId): Promise<DeleteResult> {
  return (await getFileStorage()).deleteFile(id);
}

export async function getMetadata(id: FileId): Promise<FileRow> {
  return (await getFileStorage()).getMetadata(id);
}
