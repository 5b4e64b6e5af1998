import { parseColumns, textOf } from './columns.ts';
import { Connection } from './connection.ts';
import type { CopyRequest } from './copy-message.ts';
import { DatabaseError, corrupt } from './errors.ts';
import { withRawCopy } from './raw-copy.ts';

/** What SQLite finds wrong with structure, indexes and references; empty when nothing is. */
export function integrityCheck(connection: Connection): string[] {
  try {
    const lines = connection.all('PRAGMA integrity_check(100)').map((row) => {
      return textOf(Object.values(parseColumns(row))[0], 'integrity_check');
    });
    const dangling = connection.all('PRAGMA foreign_key_check').map((row) => {
      return `a row of ${textOf(parseColumns(row)['table'], 'table')} references a row that is not there`;
    });
    return [...lines.filter((line) => line !== 'ok'), ...dangling];
  } catch (error) {
    // Damage to the schema itself ends the check instead of being listed by it.
    if (error instanceof DatabaseError && error.code === 'CORRUPT') return [error.message];
    throw error;
  }
}

/** Throws `CORRUPT` when there is anything to find in a database that another process has open, and whose file does not change meanwhile. */
export function checkSoundFile(request: CopyRequest): void {
  withRawCopy(request, (driver) => {
    if (integrityCheck(new Connection(driver, request.path)).length > 0)
      throw corrupt('the structure of the database is damaged');
  });
}
