import { MIGRATIONS } from '../../packages/database/src/migrations/migrations.ts';
import type { Migration } from '../../packages/database/src/migrations/migration.ts';
import type { Operation } from './operation.ts';

/** One that a later program may have: every row is written anew, a table is replaced by another, an index is made. */
const NEXT: Migration = {
  version: (MIGRATIONS.at(-1)?.version ?? 0) + 1,
  sql: `
    ALTER TABLE files ADD COLUMN crash_note TEXT NOT NULL DEFAULT '';
    UPDATE files SET crash_note = name;
    CREATE INDEX files_by_crash_note ON files (crash_note);
    CREATE TABLE crash_blobs (
      file_key INTEGER PRIMARY KEY REFERENCES files (file_key) ON DELETE CASCADE,
      bytes BLOB NOT NULL
    ) STRICT;
    INSERT INTO crash_blobs SELECT file_key, bytes FROM file_blobs;
    DROP TABLE file_blobs;
    ALTER TABLE crash_blobs RENAME TO file_blobs;
  `,
};

/** A program that has one migration more opens the filled vault. */
export const migrateOperation: Operation = {
  laterMigrations: [NEXT],
  run: () => Promise.resolve(),
};
