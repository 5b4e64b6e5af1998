import { createRequire } from 'node:module';
import { join } from 'node:path';

type SqlValue = string | number | Uint8Array | null;

/** What the drivers that are compared have in common. */
export interface SqlDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): { run(...parameters: (SqlValue | SqlValue[])[]): unknown };
  close(): unknown;
}

type Driver = new (
  path: string,
) => SqlDatabase & { pragma(source: string): unknown; key(key: Buffer): unknown };

/** Those of @coffer/database. SQLite's own checkpoints stand in for its policy, at the same size of the WAL. */
const PRAGMAS = [
  'locking_mode = EXCLUSIVE',
  'auto_vacuum = INCREMENTAL',
  'journal_mode = WAL',
  'synchronous = FULL',
  'temp_store = MEMORY',
  'foreign_keys = ON',
  'cell_size_check = ON',
  'trusted_schema = OFF',
  'secure_delete = ON',
  'fullfsync = ON',
  'checkpoint_fullfsync = ON',
  'journal_size_limit = 25165824',
  'wal_autocheckpoint = 4096',
  'cache_size = -32768',
];

/** The driver that @coffer/database uses, with nothing of ours around it. */
export function openBareDatabase(path: string, key: Uint8Array): SqlDatabase {
  const load = createRequire(join(import.meta.dirname, '../../packages/database/package.json'));
  const BareDatabase = load('better-sqlite3-multiple-ciphers') as Driver;
  const database = new BareDatabase(path);
  database.pragma(`cipher = 'sqlcipher'`);
  database.pragma('legacy = 4');
  database.key(Buffer.concat([Buffer.from('raw:'), key]));
  for (const pragma of PRAGMAS) database.pragma(pragma);
  return database;
}
