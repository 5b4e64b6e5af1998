import { checkEncryptedFile } from './encrypted-file.ts';
import { DatabaseError } from './errors.ts';
import { findHeldFile } from './open-files.ts';
import { hasReserve } from './space-reserve.ts';

export interface DatabaseFileState {
  /** Why it is no database that could be opened: `NOT_FOUND`, `NOT_A_DATABASE`, `PLAINTEXT`, `NOT_PERMITTED`. */
  readonly problem: DatabaseError | undefined;
  /** Whether there is space set aside for deleting on a full disk. */
  readonly hasReserve: boolean;
}

/** What can be told of a database without its key. A file that this process has open is not touched, and has no problem. */
export function inspectDatabaseFile(path: string): DatabaseFileState {
  return { problem: problemOf(path), hasReserve: hasReserve(path) };
}

function problemOf(path: string): DatabaseError | undefined {
  if (findHeldFile(path) !== undefined) return undefined;
  try {
    checkEncryptedFile(path);
    return undefined;
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
}
