import { constants, copyFileSync } from 'node:fs';
import { discardFile } from './build-file.ts';
import type { CopyRequest } from './copy-message.ts';
import type { DriverDatabase } from './driver.ts';
import { DatabaseError } from './errors.ts';
import { openKeyedDriver } from './keyed-connection.ts';

/**
 * Lets `work` read a database that another process has open, and whose file does not change meanwhile. SQLite can't read it there, because its owner's lock keeps everybody
 * out; so it reads a copy of the file's bytes, which is overwritten and removed as soon as it can be.
 */
export function withRawCopy(
  { path, rawPath, key }: CopyRequest,
  work: (driver: DriverDatabase) => void,
): void {
  try {
    // Takes no time and no space where the file system has such copies.
    copyFileSync(path, rawPath, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const driver = openRaw(rawPath, key);
    try {
      work(driver);
    } finally {
      driver.close();
    }
  } finally {
    discardFile(rawPath);
  }
}

/** Its key has opened the database, so that one which does not open it is a damaged first page. */
function openRaw(path: string, key: Uint8Array): DriverDatabase {
  try {
    return openKeyedDriver(path, key);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'WRONG_KEY')
      throw new DatabaseError('CORRUPT', 'the first page of the database is damaged', { cause: error });
    throw error;
  }
}
