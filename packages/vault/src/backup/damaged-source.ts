import { DatabaseError } from '@coffer/database';
import type { CofferDatabase } from '@coffer/database';
import { StorageError } from '@coffer/storage';
import { resolve } from 'node:path';
import { VaultError } from '../errors.ts';
import { vaultPaths } from '../paths.ts';
import { firstCopyHint } from '../read-only.ts';
import { findBackupMarker } from './marker.ts';

const EXPORT = '`coffer export` gives what can be read';
const REBUILD = '`coffer doctor --rebuild` makes a new database of it, and then a backup can be made';

/** Whether it was the database of the vault that a backup failed for. */
export function isOfDatabase(error: unknown): boolean {
  if (error instanceof StorageError) return error.damage === 'DATABASE_DAMAGED';
  return error instanceof DatabaseError && error.code === 'CORRUPT';
}

/**
 * Why there is no backup of a damaged database. A copy of what is left of it would take the place of a whole one: so whatever was there before is kept, and this says so.
 */
export async function damagedSource(
  { directory, database }: { readonly directory: string; readonly database: CofferDatabase },
  destination: string,
  cause: unknown,
): Promise<VaultError> {
  const path = resolve(destination);
  const marker = await findBackupMarker(path).catch(() => undefined);
  const madeAtMs = marker?.backup?.madeAtMs;
  const kept =
    madeAtMs === undefined
      ? `there is no earlier one in ${path}`
      : `the earlier backup in ${path}, of ${new Date(madeAtMs).toISOString()}, is as it was`;
  const withoutEarlier = `${EXPORT}; ${firstCopyHint(vaultPaths(directory))}${REBUILD}`;
  const hint =
    madeAtMs === undefined
      ? withoutEarlier
      : `${withoutEarlier}; \`coffer restore\` gives back what the earlier backup has`;
  return new VaultError(
    'DAMAGED',
    `no backup was made: pages of ${resolve(directory, 'data.db')} cannot be read${describeLost(database)}; ${kept}`,
    { cause, hint },
  );
}

function describeLost(database: CofferDatabase): string {
  try {
    const { lost, isComplete } = database.files.listReadable({ limit: 1 });
    if (!isComplete) return ', and with them files that are not known any more';
    if (lost.length === 0) return '';
    return `, and with them ${String(lost.length)} ${lost.length === 1 ? 'file' : 'files'}`;
  } catch {
    return '';
  }
}
