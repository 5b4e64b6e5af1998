import fc from 'fast-check';
import { cpSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setCipherKey } from '../../packages/database/src/cipher-key.ts';
import { openDriver } from '../../packages/database/src/driver.ts';
import { FernetKey, encryptFernet } from '../../packages/crypto/src/index.ts';
import { parseSourceKey } from '../../packages/vault/src/import/discordopus/source-keys.ts';

const VECTORS: string = join(import.meta.dirname, '../../vectors/discordopus');
export const SOURCE_KEYS = {
  databaseKey: readFileSync(join(VECTORS, 'database.key')),
  fernetKey: readFileSync(join(VECTORS, 'fernet.key')),
};

/** A value of SQLite, of any type in any column: an old application's table is not STRICT. */
type Cell = null | number | string | Uint8Array;

interface HostileRow {
  readonly id: Cell;
  readonly filename: Cell;
  readonly size: Cell;
  readonly hash: Cell;
  readonly data: Cell;
  readonly file_path: Cell;
  readonly created_at: Cell;
}

export interface HostileSource {
  readonly rows: readonly HostileRow[];
  /** What is done to the files beside the database. */
  readonly token: 'good' | 'cut' | 'changed' | 'empty' | 'link' | 'endless';
  readonly schema: 'usual' | 'view' | 'trigger' | 'fewer columns';
}

/** Where a file outside of the source is, that no row may lead to. */
export const OUTSIDE = 'outside.txt';

const PATHS = [
  'files/a.enc',
  './files/a.enc',
  '../outside.txt',
  '/etc/passwd',
  'files',
  '',
  '.',
  '..',
  'files/../../outside.txt',
  'C:\\x',
  'files\\a.enc',
  'data.db',
  'files/link.enc',
  '\0',
  'x'.repeat(5000),
];
const NAMES = [
  'a.txt',
  '../../a',
  '',
  '.',
  '\u001b[2J',
  'a\0b',
  '\ud800',
  'x'.repeat(2000),
  'con',
  '/',
  'e\u0301',
];

function cell(...likely: readonly Cell[]): fc.Arbitrary<Cell> {
  return fc.oneof(
    { arbitrary: fc.constantFrom(...likely), weight: 6 },
    { arbitrary: fc.string({ maxLength: 30 }), weight: 1 },
    { arbitrary: fc.uint8Array({ maxLength: 40 }), weight: 1 },
    { arbitrary: fc.constantFrom<Cell>(null, 0, -1, 1.5, 2 ** 62, 1e300, ''), weight: 1 },
  );
}

export function sourceArbitrary(): fc.Arbitrary<HostileSource> {
  const row = fc.record({
    id: cell('1', 'two', 3, null),
    filename: cell(...NAMES),
    size: cell(0, 5, 130_000, null, '5'),
    hash: cell(null, '0'.repeat(64), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
    data: cell(null, new Uint8Array(0), new TextEncoder().encode('hello'), 'hello'),
    file_path: cell(null, ...PATHS),
    created_at: cell(null, 1_700_000_000, '2023-11-14 22:13:20', 'yesterday'),
  });
  return fc.record({
    rows: fc.array(row, { maxLength: 6 }),
    token: fc.constantFrom('good', 'cut', 'changed', 'empty', 'link', 'endless'),
    schema: fc.oneof(
      { arbitrary: fc.constant('usual' as const), weight: 6 },
      {
        arbitrary: fc.constantFrom('view' as const, 'trigger' as const, 'fewer columns' as const),
        weight: 1,
      },
    ),
  });
}

/** Writes it to a folder, beside a file that it must not lead to. */
export function writeSource(folder: string, { rows, token, schema }: HostileSource): void {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(VECTORS, 'app'), folder, { recursive: true });
  writeToken(join(folder, 'files', 'a.enc'), token);
  symlinkSync(join('..', '..', OUTSIDE), join(folder, 'files', 'link.enc'));
  const path = join(folder, 'data.db');
  const driver = openDriver(path, { fileMustExist: true });
  try {
    setCipherKey(driver, { kind: 'raw', key: parseSourceKey(SOURCE_KEYS.databaseKey, 'the key') });
    driver.exec('DROP TABLE files');
    const columns =
      schema === 'fewer columns'
        ? 'id, filename, data'
        : 'id, filename, mime_type, size, hash, data, file_path, created_at, transfer_id';
    driver.exec(`CREATE TABLE files (${columns})`);
    if (schema !== 'fewer columns') {
      const insert = driver.prepare(
        'INSERT INTO files (id, filename, size, hash, data, file_path, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      );
      for (const { id, filename, size, hash, data, file_path, created_at } of rows) {
        insert.run(...[id, filename, size, hash, data, file_path, created_at].map(toDriver));
      }
    }
    if (schema === 'view') {
      driver.exec(`ALTER TABLE files RENAME TO real_files; CREATE VIEW files AS
        WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT real_files.*, x FROM n, real_files`);
    }
    if (schema === 'trigger')
      driver.exec(`CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM files; END`);
  } finally {
    driver.close();
  }
}

function toDriver(value: Cell): Cell {
  return value instanceof Uint8Array
    ? Buffer.from(value)
    : typeof value === 'string'
      ? value.toWellFormed()
      : value;
}

function writeToken(path: string, kind: HostileSource['token']): void {
  const key = FernetKey.fromBytes(parseSourceKey(SOURCE_KEYS.fernetKey, 'the key'));
  const token = encryptFernet(key, new Uint8Array(130_000));
  writeFileSync(path, token);
  if (kind === 'cut') truncateSync(path, 1000);
  if (kind === 'changed') writeFileSync(path, token.replace(/.{8}$/, 'AAAAAAAA'));
  if (kind === 'empty') writeFileSync(path, '');
  if (kind === 'link' || kind === 'endless') {
    rmSync(path);
    symlinkSync(kind === 'link' ? join('..', '..', OUTSIDE) : '/dev/zero', path);
  }
}
