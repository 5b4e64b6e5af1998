import type { Migration } from '../../packages/database/src/migrations/migration.ts';
import { MIGRATIONS } from '../../packages/database/src/migrations/migrations.ts';
import type { Operation } from './operation.ts';

/** Makes this process that of a later program, for the rest of its life: the list is what the shipped code goes through when it opens a database. */
export function haveLaterMigrations({ laterMigrations = [] }: Operation): void {
  (MIGRATIONS as Migration[]).push(...laterMigrations);
}
