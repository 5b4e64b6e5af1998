import { syncFile } from './build-file.ts';
import { rawKey, setCipherKey } from './cipher-key.ts';
import { firstValue } from './connection.ts';
import type { Connection } from './connection.ts';
import type { CopyRequest } from './copy-message.ts';
import { openDriver } from './driver.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { corrupt } from './errors.ts';
import { withRawCopy } from './raw-copy.ts';

/** The keys of a copy, 32 bytes each. Without a new one it has key and salt of the database. */
export interface CopyKeys {
  readonly key: Uint8Array;
  readonly newKey?: Uint8Array | undefined;
}

/** Fills an empty file with what lives in a database that is open here: compact, and under a new key read back whole. */
export function fillCopy(connection: Connection, temporaryPath: string, keys: CopyKeys): void {
  // It counts as a change of the database that it only reads.
  connection.despiteRefusal(() => connection.run('VACUUM INTO ?', temporaryPath));
  finishCopy(temporaryPath, keys);
}

/** The same from a database that another process has open, and whose file does not change meanwhile. The copy is synced. */
export function fillCopyFromFile(request: CopyRequest, temporaryPath: string): void {
  withRawCopy(request, (driver) => {
    driver.prepare('VACUUM INTO ?').run(temporaryPath);
  });
  finishCopy(temporaryPath, request);
  syncFile(temporaryPath);
}

function finishCopy(path: string, { key, newKey }: CopyKeys): void {
  if (newKey !== undefined) changeKey(path, key, newKey);
  checkEncryptedFile(path);
  if (newKey !== undefined) verify(path, newKey);
}

/** Only for a file that is thrown away when anything goes wrong: there is no journal, and nothing is synced. */
function changeKey(path: string, key: Uint8Array, newKey: Uint8Array): void {
  const driver = openDriver(path, { fileMustExist: true });
  const raw = rawKey(newKey);
  try {
    setCipherKey(driver, { kind: 'raw', key: key });
    driver.pragma('locking_mode = EXCLUSIVE');
    // What SQLite's "defensive" mode, which the driver sets, would not let us choose.
    driver.unsafeMode(true);
    driver.pragma('journal_mode = OFF');
    driver.pragma('synchronous = OFF');
    driver.prepare('SELECT count(*) FROM sqlite_schema').get();
    driver.rekey(raw);
  } finally {
    raw.fill(0);
    driver.close();
  }
}

/** A copy made by VACUUM has no free pages, so that `quick_check` reads, and so authenticates, every page. */
function verify(path: string, newKey: Uint8Array): void {
  const driver = openDriver(path, { fileMustExist: true });
  try {
    setCipherKey(driver, { kind: 'raw', key: newKey });
    driver.pragma('locking_mode = EXCLUSIVE');
    // Otherwise the first opening would, with a rollback journal beside the database that a loss of power may bring back.
    driver.pragma('journal_mode = WAL');
    if (firstValue(driver.pragma('quick_check(1)')) !== 'ok')
      throw corrupt('the copy of the database under the new key is not whole');
  } finally {
    driver.close();
  }
}
