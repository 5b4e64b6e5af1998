import { integerOf } from './columns.ts';
import type { Connection } from './connection.ts';
import { DatabaseError } from './errors.ts';
import type { Migration } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/migrations.ts';

/**
 * Brings the schema to the newest version in one `BEGIN IMMEDIATE` transaction and returns that version. Throws
 * `SCHEMA_TOO_NEW`, before anything is written, when the database is of a later version than this program knows.
 */
export function migrate(connection: Connection, migrations: readonly Migration[] = MIGRATIONS): number {
  const newest = migrations.at(-1)?.version ?? 0;
  if (readVersion(connection, newest) === newest) return newest;
  connection.transaction(() => {
    const current = readVersion(connection, newest);
    for (const migration of migrations) {
      if (migration.version > current) connection.exec(migration.sql);
    }
    connection.exec(`PRAGMA user_version = ${String(newest)}`);
  });
  return newest;
}

function readVersion(connection: Connection, newest: number): number {
  const version = integerOf(connection.pragma('user_version'), 'user_version');
  if (version <= newest) return version;
  throw new DatabaseError(
    'SCHEMA_TOO_NEW',
    `the database has schema ${String(version)} and this program knows ${String(newest)} at most: use a newer version of it`,
  );
}
