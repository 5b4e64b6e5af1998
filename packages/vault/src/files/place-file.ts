import type { CofferDatabase, FileId } from '@coffer/database';
import { VaultError } from '../errors.ts';
import { joinPath, splitPath } from './file-entry.ts';

/** What to do when there is a file of that path already. */
export type OnConflict = 'skip' | 'rename' | 'replace' | 'fail';

export interface Place {
  readonly folder: string;
  readonly name: string;
  readonly replaces?: FileId;
}

/** More numbered names than this are not tried. */
const MAX_NUMBER = 10_000;
/** Of ext4, APFS and NTFS, about. */
const MAX_SEGMENT_SIZE_BYTES = 255;

/**
 * Decides where a file goes so that paths stay unique, files and folders together. Called inside the transaction that inserts
 * or moves it. `undefined` says that it is to be skipped. Throws `EXISTS`.
 */
export function placeFile(
  database: CofferDatabase,
  folder: string,
  name: string,
  onConflict: OnConflict,
): Place | undefined {
  checkRestorable(folder, name);
  checkFolderIsFree(database, folder);
  const [existing] = database.files.findByPath(folder, name);
  const isTakenByFolder = database.files.hasFolder(joinPath(folder, name));
  if (existing === undefined && !isTakenByFolder) return { folder, name };
  switch (onConflict) {
    case 'skip':
      return undefined;
    case 'rename':
      return { folder, name: freeName(database, folder, name) };
    case 'replace':
      if (existing !== undefined && !isTakenByFolder) return { folder, name, replaces: existing.id };
      throw exists(`${joinPath(folder, name)} is a folder in this vault`);
    case 'fail':
      throw exists(
        isTakenByFolder
          ? `${joinPath(folder, name)} is a folder in this vault`
          : `${joinPath(folder, name)} is in this vault already`,
      );
  }
}

/** What no file system could take back is refused when it comes in. Storage, which messengers use alone, is more generous. */
function checkRestorable(folder: string, name: string): void {
  for (const segment of [...folder.split('/'), name]) {
    if (Buffer.byteLength(segment) <= MAX_SEGMENT_SIZE_BYTES) continue;
    const most = `at most ${String(MAX_SEGMENT_SIZE_BYTES)} bytes`;
    throw new VaultError(
      'INVALID_INPUT',
      `the name ${segment.slice(0, 32)}… is too long: ${most} are possible`,
    );
  }
}

/** A folder can't have the path of a file, nor can any folder it is in. */
function checkFolderIsFree(database: CofferDatabase, folder: string): void {
  for (let path = folder; path !== ''; path = splitPath(path).folder) {
    const { folder: parent, name } = splitPath(path);
    if (database.files.findByPath(parent, name).length > 0)
      throw exists(`${path} is a file in this vault, not a folder`);
  }
}

/** Whether the path, or one of the numbered ones that follow it without a gap, is that of a file with this content. */
export function hasSameFile(
  database: CofferDatabase,
  folder: string,
  name: string,
  sha256: Uint8Array,
): boolean {
  for (const candidate of numberedNames(name)) {
    const found = database.files.findByPath(folder, candidate);
    if (found.length === 0) return false;
    if (found.some((row) => Buffer.compare(row.sha256, sha256) === 0)) return true;
  }
  return false;
}

function freeName(database: CofferDatabase, folder: string, name: string): string {
  for (const candidate of numberedNames(name)) {
    const taken = database.files.findByPath(folder, candidate).length > 0;
    if (!taken && !database.files.hasFolder(joinPath(folder, candidate))) return candidate;
  }
  throw exists(`${joinPath(folder, name)} and ${String(MAX_NUMBER)} numbered names after it are taken`);
}

/** `report.pdf`, then `report (2).pdf`, then `report (3).pdf`. */
function* numberedNames(name: string): Generator<string> {
  yield name;
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let number = 2; number <= MAX_NUMBER; number++) yield `${stem} (${String(number)})${extension}`;
}

function exists(message: string): VaultError {
  return new VaultError('EXISTS', message, {
    hint: 'choose another name, or --on-conflict skip, rename or replace',
  });
}
