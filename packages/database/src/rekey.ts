import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './build-file.ts';
import type { Connection } from './connection.ts';
import { discardUnfinishedCopies } from './copy-aside.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { DatabaseError } from './errors.ts';
import { openKeyedDriver } from './keyed-connection.ts';
import { keepReplaced, settleReplaced } from './replaced-file.ts';
import type { Settle } from './replaced-file.ts';
import { discardCopy } from './shred-whole.ts';

/** The keys of a change of key, 32 bytes each. The caller zeroes them. */
export interface RekeyKeys {
  /** What the database is under now. */
  readonly key: Uint8Array;
  readonly newKey: Uint8Array;
}

/**
 * Where the database under the new key is made, before it takes the place of the one under the old key: compact, complete, every page read again and authentic, durable.
 *
 * The driver could change the key in place. Not here: a fresh file is verified before anything depends on it, its salt is new, and no page of
 * the old key is mixed with it, in the file or in its log (docs/decisions/0014).
 */
export function rekeyedPath(path: string): string {
  return `${path}.rekey`;
}

/**
 * Shreds what a crash left of a change of key: copies under either key, and the old database. The database itself is always whole, under one key or
 * the other.
 */
export function discardRekeyed(path: string): void {
  discardCopy(rekeyedPath(path));
  discardUnfinishedCopies(rekeyedPath(path));
  settleReplaced(path);
}

/**
 * Puts the copy in the place of the database: closes the connection, renames, opens again under the new key. Before the rename is durable
 * the old key opens it, afterwards the new one; there is always a whole database. `onRenamed` is called in between with the salt of the new one, also when
 * something fails later. All of this happens at once; the result resolves when the old file is overwritten.
 */
export function putRekeyedInPlace(
  connection: Connection,
  path: string,
  { key, newKey }: RekeyKeys,
  onRenamed: (salt: Uint8Array) => void,
): Promise<void> {
  let settle: Settle = () => Promise.resolve();
  let settled = Promise.resolve();
  connection.reopen(() => {
    let salt: Uint8Array;
    try {
      checkNoLog(path);
      salt = checkEncryptedFile(rekeyedPath(path));
      settle = keepReplaced(path);
      renameSync(rekeyedPath(path), path);
    } catch (error) {
      settled = settle(false);
      return { driver: openKeyedDriver(path, key), error };
    }
    onRenamed(salt);
    try {
      syncFolder(dirname(path));
    } catch (error) {
      settled = settle(false);
      return { driver: openKeyedDriver(path, newKey), error };
    }
    settled = settle(true);
    return { driver: openKeyedDriver(path, newKey) };
  });
  return settled;
}

/** A log that is left would be taken for that of the new file. */
function checkNoLog(path: string): void {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0)
    throw new DatabaseError('FAILED', `the log of ${path} could not be emptied`);
}
