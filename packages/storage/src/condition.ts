import type { FileId, FileRow, SettingTable } from '@coffer/database';
import type { StorageContext } from './storage-context.ts';

/** Since when something is known to be wrong is kept beside what is wrong, and goes with it: `damage/{file id}`, `damage/database`. */
const keyOf = (what: FileId | 'database'): string => `damage/${what}`;

/** Marks a row, and keeps when it was first found not to be whole. Joins a transaction that runs. */
export function markCondition(context: StorageContext, id: FileId, condition: FileRow['condition']): void {
  context.database.transaction(() => {
    context.database.files.setCondition(id, condition);
    noteDamage(context, id, condition !== 'ok');
  });
}

/** Keeps the time when damage was first noticed, or forgets it. */
export function noteDamage(
  { database: { settings }, nowMs }: StorageContext,
  what: FileId | 'database',
  isDamaged: boolean,
): void {
  const key = keyOf(what);
  const known = settings.get(key) !== undefined;
  if (isDamaged && !known) settings.set(key, String(nowMs()));
  if (!isDamaged && known) settings.remove(key);
}

/** When damage was first noticed; `undefined` when it has not been kept. */
export function damagedSinceMs({ database }: StorageContext, what: FileId | 'database'): number | undefined {
  const value = Number(database.settings.get(keyOf(what)) ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** What was wrong with a database that another one has taken the place of. */
export function noteDatabaseRebuilt(settings: SettingTable): void {
  settings.remove(keyOf('database'));
}
