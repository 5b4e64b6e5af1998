import type { Connection } from './connection.ts';
import { invalid } from './errors.ts';
import { checkEncryptedFile } from './encrypted-file.ts';
import { buildFile } from './build-file.ts';

/** Copies the database with VACUUM INTO, which keeps key, schema and settings of the file. */
export function backUp(connection: Connection, path: string): void {
  if (connection.inTransaction) throw invalid('a backup cannot be made inside a transaction');
  buildFile(path, (temporaryPath) => {
    connection.run('VACUUM INTO ?', temporaryPath);
    checkEncryptedFile(temporaryPath);
  });
}
