import type { CofferDatabase, FileId, FileRow, SettingTable } from '@coffer/database';
import { StorageError } from './errors.ts';
import { ifDatabaseAllows } from './storage-context.ts';
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

/** When damage was first noticed; `undefined` when it has not been kept, or can't be read. */
export function damagedSinceMs(
  { settings }: Pick<CofferDatabase, 'settings'>,
  what: FileId | 'database',
): number | undefined {
  let value = Number.NaN;
  ifDatabaseAllows(() => {
    value = Number(settings.get(keyOf(what)) ?? Number.NaN);
  });
  return Number.isSafeInteger(value) ? value : undefined;
}

/** What is true of a file of which this kind of damage was found. */
export function conditionOfDamage(code: string): FileRow['condition'] {
  return code === 'FILE_MISSING' ? 'missing' : 'damaged';
}

/**
 * Keeps what somebody who read a file came upon: `error`, or, when there is none, that all of it is whole. Never throws: what was found is told in any case, and a full disk or a file that was removed
 * meanwhile is no reason to fail.
 */
export function recordRead(context: StorageContext, row: FileRow, error?: unknown): void {
  const damage = error instanceof StorageError ? error.damage : undefined;
  if (error !== undefined && damage === undefined) return;
  const condition = damage === undefined ? 'ok' : conditionOfDamage(damage);
  if (condition === row.condition || context.database.refusesChanges) return;
  try {
    markCondition(context, row.id, condition);
  } catch {
    // The next read or check comes upon it, too.
  }
}

/** What was wrong with a database that another one has taken the place of. */
export function noteDatabaseRebuilt(settings: SettingTable): void {
  settings.remove(keyOf('database'));
}
