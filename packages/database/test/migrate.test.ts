import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Connection } from '../src/connection.ts';
import { openDatabase, scanPages } from '../src/index.ts';
import type { CofferDatabase } from '../src/index.ts';
import { openKeyedConnection } from '../src/keyed-connection.ts';
import { migrate } from '../src/migrate.ts';
import { MIGRATIONS } from '../src/migrations/migrations.ts';
import { expectError } from './support/expect-error.ts';
import { KEY, newDatabase } from './support/sample-database.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

/** SHA-256 of the SQL of each released migration. A line is added with a migration and never changed. */
const FROZEN = new Map([[1, '43d23d937f91b305717b6df270c863920c088f47a519d0767dd52a04dea804f4']]);

interface Fixture {
  readonly key: string;
  readonly version: number;
  readonly [table: string]: unknown;
}

function content(database: CofferDatabase): Record<string, unknown> {
  const rows = [...database.files.iterate()];
  const [blob] = rows.flatMap((row) => database.files.getBlob(row.id) ?? []);
  const value = {
    files: rows.map((row) => ({ ...row, sha256: Buffer.from(row.sha256).toString('hex') })),
    blob: Buffer.from(blob ?? []).toString('utf8'),
    tags: database.tags.all(),
    tombstones: database.tombstones.list(),
    settings: [...database.settings.all()],
    transfers: database.transfers.list(),
  };
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}

/** An empty database whose schema was not made yet. */
function bareConnection(): Connection {
  const database = newDatabase();
  database.close();
  const connection = openKeyedConnection(database.path, KEY);
  onTestFinished(() => {
    connection.close();
  });
  return connection;
}

describe('the history of the schema', () => {
  test('has every version from 1 on, in order', () => {
    expect(MIGRATIONS.map((migration) => migration.version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  test.each(MIGRATIONS)('is not rewritten: version $version', ({ version, sql }) => {
    expect(createHash('sha256').update(sql).digest('hex')).toBe(FROZEN.get(version));
  });

  test('has a fixture of every version', () => {
    const expected = MIGRATIONS.flatMap(({ version }) => [
      `schema-v${String(version)}.db`,
      `schema-v${String(version)}.json`,
    ]);
    expect(readdirSync(FIXTURES).sort()).toEqual(expected.sort());
  });

  test('uses strict tables only', () => {
    const connection = bareConnection();
    const loose = connection.all(
      `SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'`,
    );
    expect(loose).toEqual([]);
  });
});

describe.each(MIGRATIONS)('a database that version $version wrote', ({ version }) => {
  const name = `schema-v${String(version)}`;
  const fixture = JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) as Fixture;
  const key = Buffer.from(fixture.key, 'hex');

  test('opens, with everything in it', async () => {
    const path = join(temporaryFolder(), 'data.db');
    copyFileSync(join(FIXTURES, `${name}.db`), path);
    {
      using database = openDatabase({ path, key });
      expect(database.schemaVersion).toBe(MIGRATIONS.length);
      expect({ ...content(database), key: fixture.key, version }).toEqual(fixture);
      expect(database.integrityCheck()).toEqual([]);
    }
    expect((await scanPages({ path, key })).damagedPages).toEqual([]);
  });
});

describe('migrating', () => {
  const steps = [
    ...MIGRATIONS,
    { version: 2, sql: `CREATE TABLE second (a TEXT) STRICT; INSERT INTO second VALUES ('x')` },
    { version: 3, sql: 'ALTER TABLE second ADD COLUMN b TEXT' },
  ];

  test('runs what is missing, once', () => {
    const connection = bareConnection();
    expect(migrate(connection, steps)).toBe(3);
    expect(migrate(connection, steps)).toBe(3);
    expect(connection.pragma('user_version')).toBe(3);
    expect(connection.all('SELECT * FROM second')).toEqual([{ a: 'x', b: null }]);
  });

  test('leaves the old schema when a step fails', () => {
    const connection = bareConnection();
    const broken = [...steps.slice(0, 2), { version: 3, sql: 'ALTER TABLE nowhere ADD COLUMN b TEXT' }];
    expectError('FAILED', () => migrate(connection, broken));
    expect(connection.pragma('user_version')).toBe(1);
    expect(connection.get(`SELECT 1 FROM sqlite_schema WHERE name = 'second'`)).toBeUndefined();
  });

  test('refuses a later schema and changes nothing', () => {
    const connection = bareConnection();
    migrate(connection, steps);
    expectError('SCHEMA_TOO_NEW', () => migrate(connection));
    expect(connection.pragma('user_version')).toBe(3);
  });
});
