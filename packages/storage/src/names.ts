import { StorageError } from './errors.ts';

/** In UTF-8 bytes; file systems end at 255, messengers' attachment names go further. */
export const MAX_NAME_SIZE_BYTES = 1024;
/** In UTF-8 bytes, separators included. */
export const MAX_FOLDER_SIZE_BYTES = 4096;

/** Normalizing never makes a text so much shorter: what is longer is refused before anything is done with it. */
const MAX_SHRINKING = 4;

const utf8 = new TextEncoder();

/**
 * A file's name: one path segment, in NFC. Any character may stand in it but `/` and NUL; showing it on a terminal or
 * making a path of it is where it is escaped and confined.
 */
export function parseFileName(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid('a file needs a name');
  if (value.length > MAX_NAME_SIZE_BYTES * MAX_SHRINKING) throw nameTooLong();
  const name = value.normalize('NFC');
  if (utf8.encode(name).length > MAX_NAME_SIZE_BYTES) throw nameTooLong();
  checkSegment(name, value);
  return name;
}

/** A folder: names joined by `/`, in NFC, without one at either end; `''` is the root. */
export function parseFolder(value: unknown): string {
  if (typeof value !== 'string') throw invalid('a folder is a text');
  if (value === '') return '';
  if (value.length > MAX_FOLDER_SIZE_BYTES * MAX_SHRINKING) throw folderTooLong();
  const folder = value.normalize('NFC');
  if (utf8.encode(folder).length > MAX_FOLDER_SIZE_BYTES) throw folderTooLong();
  for (const segment of folder.split('/')) {
    if (segment === '') throw invalid(`the folder ${JSON.stringify(value)} has an empty part`);
    checkSegment(segment, value);
  }
  return folder;
}

function checkSegment(segment: string, whole: string): void {
  const shown = (): string => JSON.stringify(whole);
  if (segment === '.' || segment === '..')
    throw invalid(`${shown()} has the part ${JSON.stringify(segment)}`);
  if (segment.includes('/')) throw invalid(`the name ${shown()} has a slash in it`);
  if (segment.includes('\0')) throw invalid(`${shown()} has a NUL character in it`);
  // A lone surrogate has no UTF-8 form: it could not be stored and come back the same.
  if (!segment.isWellFormed()) throw invalid(`${shown()} is not well-formed Unicode`);
}

function nameTooLong(): StorageError {
  return invalid(`the name is longer than ${String(MAX_NAME_SIZE_BYTES)} bytes`);
}

function folderTooLong(): StorageError {
  return invalid(`the folder's path is longer than ${String(MAX_FOLDER_SIZE_BYTES)} bytes`);
}

function invalid(message: string): StorageError {
  return new StorageError('INVALID', message);
}
