import { BACKUP_OPERATIONS } from './backup-operations.ts';
import { doctorFix } from './doctor-fix.ts';
import { FILE_OPERATIONS } from './file-operations.ts';
import { importOriginal } from './import-discordopus.ts';
import { KEY_OPERATIONS } from './key-operations.ts';
import { KEYCHAIN_OPERATIONS } from './keychain-operations.ts';
import { migrateOperation } from './migrate.ts';
import { QUARANTINE_OPERATIONS } from './quarantine-operations.ts';
import { rebuild } from './rebuild.ts';
import { ROTATE_OPERATIONS } from './rotate-operations.ts';
import type { Operation } from './operation.ts';

/** Every operation of the matrix, by the name that `--operation` takes. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...FILE_OPERATIONS,
  ...KEY_OPERATIONS,
  ...KEYCHAIN_OPERATIONS,
  ...BACKUP_OPERATIONS,
  ...ROTATE_OPERATIONS,
  ...QUARANTINE_OPERATIONS,
  'doctor-fix': doctorFix,
  'doctor-rebuild': rebuild,
  'import-discordopus': importOriginal,
  migrate: migrateOperation,
};

export function operationOf(name: string): Operation {
  const operation = OPERATIONS[name];
  if (operation !== undefined) return operation;
  throw new Error(`there is no operation ${name}; there are ${Object.keys(OPERATIONS).join(', ')}`);
}

export function nameOf(operation: Operation): string {
  const found = Object.entries(OPERATIONS).find(([, each]) => each === operation);
  if (found === undefined) throw new Error('this operation is not in the table');
  return found[0];
}
