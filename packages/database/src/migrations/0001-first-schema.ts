import type { Migration } from './migration.ts';

/** The tables of the first release. Frozen: what is wrong here is put right by a later migration. */
export const firstSchema: Migration = {
  version: 1,
  sql: `
    CREATE TABLE files (
      -- What other tables refer to: appended to, so that a new file with its bytes touches the last page of a table and no random one.
      file_key INTEGER PRIMARY KEY,
      id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
      folder TEXT NOT NULL CHECK (folder NOT LIKE '/%' AND folder NOT LIKE '%/' AND instr(folder, '//') = 0),
      name TEXT NOT NULL CHECK (name <> '' AND instr(name, '/') = 0),
      mime_type TEXT NOT NULL CHECK (mime_type <> ''),
      size_bytes INTEGER NOT NULL CHECK (size_bytes BETWEEN 0 AND 9007199254740991),
      sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
      placement TEXT NOT NULL CHECK (placement IN ('blob', 'sealed')),
      condition TEXT NOT NULL CHECK (condition IN ('ok', 'missing', 'damaged')),
      created_at_ms INTEGER NOT NULL CHECK (created_at_ms BETWEEN -8640000000000000 AND 8640000000000000),
      modified_at_ms INTEGER NOT NULL CHECK (modified_at_ms BETWEEN -8640000000000000 AND 8640000000000000),
      transfer_id TEXT CHECK (transfer_id <> ''),
      folded_name TEXT NOT NULL
    ) STRICT;
    -- The one order that is kept. What is filtered and sorted by comes along, so that searching, sorting and summing up folders are
    -- reads of this index alone. Each further index would cost every new file a page: docs/decisions/0008.
    CREATE INDEX files_by_path ON files (
      folder, name, id, folded_name, mime_type, size_bytes, created_at_ms, modified_at_ms, placement, condition
    );
    CREATE INDEX files_not_ok ON files (condition, id) WHERE condition <> 'ok';

    CREATE TABLE file_blobs (
      file_key INTEGER PRIMARY KEY REFERENCES files (file_key) ON DELETE CASCADE,
      bytes BLOB NOT NULL
    ) STRICT;

    CREATE TABLE file_tags (
      file_key INTEGER NOT NULL REFERENCES files (file_key) ON DELETE CASCADE,
      tag TEXT NOT NULL CHECK (tag <> ''),
      PRIMARY KEY (file_key, tag)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX file_tags_by_tag ON file_tags (tag, file_key);

    CREATE TABLE file_transfers (
      id TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
      direction TEXT NOT NULL CHECK (direction IN ('send', 'receive')),
      state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'paused', 'complete', 'cancelled', 'failed')),
      peer TEXT CHECK (peer <> ''),
      name TEXT NOT NULL CHECK (name <> ''),
      mime_type TEXT NOT NULL CHECK (mime_type <> ''),
      size_bytes INTEGER NOT NULL CHECK (size_bytes BETWEEN 0 AND 9007199254740991),
      sha256 BLOB CHECK (length(sha256) = 32),
      chunk_size_bytes INTEGER NOT NULL CHECK (chunk_size_bytes BETWEEN 1 AND 9007199254740991),
      verified_bytes INTEGER NOT NULL CHECK (verified_bytes BETWEEN 0 AND size_bytes),
      file_id BLOB CHECK (length(file_id) = 16),
      error_code TEXT CHECK (error_code <> ''),
      error_message TEXT,
      error_retryable INTEGER CHECK (error_retryable IN (0, 1)),
      created_at_ms INTEGER NOT NULL CHECK (created_at_ms BETWEEN 0 AND 8640000000000000),
      updated_at_ms INTEGER NOT NULL CHECK (updated_at_ms BETWEEN 0 AND 8640000000000000),
      CHECK ((state = 'failed') = (error_code IS NOT NULL)),
      CHECK ((error_code IS NULL) = (error_message IS NULL)),
      CHECK ((error_code IS NULL) = (error_retryable IS NULL)),
      CHECK (state <> 'complete' OR verified_bytes = size_bytes)
    ) STRICT;
    CREATE INDEX file_transfers_by_state ON file_transfers (state, created_at_ms, id);
    CREATE INDEX file_transfers_by_creation ON file_transfers (created_at_ms, id);
    CREATE INDEX file_transfers_by_file ON file_transfers (file_id) WHERE file_id IS NOT NULL;

    CREATE TABLE tombstones (
      file_id BLOB NOT NULL PRIMARY KEY CHECK (length(file_id) = 16),
      deleted_at_ms INTEGER NOT NULL CHECK (deleted_at_ms BETWEEN 0 AND 8640000000000000)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE settings (
      key TEXT NOT NULL PRIMARY KEY CHECK (key <> ''),
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
