import { firstSchema } from './0001-first-schema.ts';
import type { Migration } from './migration.ts';

/** All of them in order; only ever added to. */
export const MIGRATIONS: readonly Migration[] = [firstSchema];
