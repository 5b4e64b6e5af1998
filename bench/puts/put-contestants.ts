import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createDatabase, fileIdFromBytes, fileIdToBytes } from '../../packages/database/src/index.ts';
import type { FileRow } from '../../packages/database/src/index.ts';
import { openFileStorage } from '../../packages/storage/src/index.ts';
import type { Contestant } from '../harness/interleave.ts';
import type { Sample } from '../harness/measured-process.ts';
import { remove } from '../harness/workspace.ts';
import type { Workspace } from '../harness/workspace.ts';
import { openBareDatabase } from './bare-database.ts';
import type { SqlDatabase } from './bare-database.ts';

export const SAVE_FILE = 'storage.saveFile';
export const BARE_LOOP = 'bare loop, same tables';
export const BARE_LOOP_ONE_TABLE = 'bare loop, one table';

const ONE_TABLE = 'CREATE TABLE IF NOT EXISTS puts (id BLOB PRIMARY KEY, bytes BLOB NOT NULL)';

/** Before the time is taken: modules are loaded and code is compiled by then, and the WAL has been made. */
const WARM_UP_PUTS = 200;

/** SQLCipher as Signal Desktop builds it. */
export interface Sqlcipher {
  readonly name: string;
  readonly version: string;
  open(path: string, key: Uint8Array): SqlDatabase;
}

type Put = (index: number, bytes: Uint8Array) => unknown;

/** Opens something in a folder, hands over what puts one file durably, and closes it after the time was taken. */
type Subject = (folder: string, putAll: (put: Put) => Promise<void>) => Promise<void>;

/** Each puts `count` files of random bytes, one after the other, each durable before the next. */
export function putContestants(
  workspace: Workspace,
  count: number,
  sizeBytes: number,
  sqlcipher: Sqlcipher | string,
): Contestant[] {
  const contestant = (
    name: string,
    kind: Contestant['kind'],
    about: string,
    subject: Subject,
  ): Contestant => ({
    name,
    kind,
    about,
    operations: count,
    run: () => timePuts(workspace, { count, sizeBytes }, subject),
  });
  const all = [
    contestant(SAVE_FILE, 'coffer', '@coffer/storage: hash, type, row, bytes', putWithStorage),
    contestant('database insert', 'coffer', '@coffer/database: the same row and bytes', putWithDatabase),
    contestant(
      BARE_LOOP,
      'limit',
      'the driver alone, same row, bytes, indexes and pragmas',
      putIntoSameTables,
    ),
    contestant(BARE_LOOP_ONE_TABLE, 'limit', 'the driver alone, id and bytes, no index', putIntoOneTable),
    contestant('files, unencrypted', 'limit', 'write, fsync, rename, fsync the folder', putPlainFiles),
  ];
  if (typeof sqlcipher === 'string') return all;
  const putWithSqlcipher: Subject = async (folder, putAll) => {
    const database = sqlcipher.open(join(folder, 'data.db'), randomBytes(32));
    database.exec(ONE_TABLE);
    const insert = database.prepare('INSERT INTO puts (id, bytes) VALUES (?, ?)');
    await putAll((_, bytes) => insert.run([randomBytes(16), bytes]));
    database.close();
  };
  return [
    ...all,
    contestant(sqlcipher.name, 'peer', 'id and bytes in one table, no index', putWithSqlcipher),
  ];
}

/** Looks for it in a folder that somebody has installed it into; it is not one of our dependencies. */
export function findSqlcipher(folder: string | undefined): Sqlcipher | string {
  if (folder === undefined) return '@signalapp/sqlcipher: no folder given that has it (--sqlcipher FOLDER)';
  try {
    const load = createRequire(join(folder, 'package.json'));
    const loaded = load('@signalapp/sqlcipher') as SqlcipherConstructor | { default: SqlcipherConstructor };
    const Database = 'default' in loaded ? loaded.default : loaded;
    const manifest = readFileSync(join(folder, 'node_modules/@signalapp/sqlcipher/package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    return {
      name: '@signalapp/sqlcipher',
      version,
      open: (path, key) => {
        const database = new Database(path);
        database.pragma(`key = "x'${Buffer.from(key).toString('hex')}'"`);
        for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'wal_autocheckpoint = 4096']) {
          database.pragma(pragma);
        }
        return database;
      },
    };
  } catch (error) {
    return `@signalapp/sqlcipher: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`;
  }
}

type SqlcipherConstructor = new (path: string) => SqlDatabase & { pragma(source: string): unknown };

async function timePuts(
  workspace: Workspace,
  { count, sizeBytes }: { readonly count: number; readonly sizeBytes: number },
  subject: Subject,
): Promise<Sample> {
  const folder = workspace.folder('puts');
  const files = Array.from({ length: WARM_UP_PUTS + count }, () => new Uint8Array(randomBytes(sizeBytes)));
  let elapsedMs = 0;
  let cpu = process.cpuUsage();
  await subject(folder, async (put) => {
    for (const [index, bytes] of files.slice(0, WARM_UP_PUTS).entries()) await put(index, bytes);
    cpu = process.cpuUsage();
    const startMs = performance.now();
    for (const [index, bytes] of files.slice(WARM_UP_PUTS).entries()) await put(WARM_UP_PUTS + index, bytes);
    elapsedMs = performance.now() - startMs;
    cpu = process.cpuUsage(cpu);
  });
  remove(folder);
  return { elapsedMs, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
}

const putWithStorage: Subject = async (directory, putAll) => {
  await using owned = await openFileStorage({ directory, key: randomBytes(32) });
  await putAll((index, bytes) => owned.storage.saveFile(bytes, { name: nameOf(index), folder: 'puts' }));
};

const putWithDatabase: Subject = async (folder, putAll) => {
  using database = createDatabase({ path: join(folder, 'data.db'), key: randomBytes(32) });
  await putAll((index, bytes) => {
    const row = rowOf(index, bytes);
    database.transaction(() => {
      database.files.insert(row);
      database.files.insertBlob(row.id, bytes);
    });
  });
};

const putIntoSameTables: Subject = async (folder, putAll) => {
  const path = join(folder, 'data.db');
  const key = randomBytes(32);
  createDatabase({ path, key }).close();
  const database = openBareDatabase(path, key);
  const [begin, commit] = [database.prepare('BEGIN IMMEDIATE'), database.prepare('COMMIT')];
  const insertRow =
    database.prepare(`INSERT INTO files (id, folder, name, mime_type, size_bytes, sha256, placement,
    condition, created_at_ms, modified_at_ms, transfer_id, folded_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)`);
  const insertBytes = database.prepare(
    'INSERT INTO file_blobs (file_key, bytes) VALUES (last_insert_rowid(), ?)',
  );
  await putAll((index, bytes) => {
    const row = rowOf(index, bytes);
    begin.run();
    insertRow.run(
      ...[
        fileIdToBytes(row.id),
        row.folder,
        row.name,
        row.mimeType,
        row.sizeBytes,
        row.sha256,
        row.placement,
        row.condition,
      ],
      ...[row.createdAtMs, row.modifiedAtMs, row.name],
    );
    insertBytes.run(bytes);
    commit.run();
  });
  database.close();
};

const putIntoOneTable: Subject = async (folder, putAll) => {
  const database = openBareDatabase(join(folder, 'data.db'), randomBytes(32));
  database.exec(ONE_TABLE);
  const insert = database.prepare('INSERT INTO puts (id, bytes) VALUES (?, ?)');
  await putAll((_, bytes) => insert.run(randomBytes(16), bytes));
  database.close();
};

const putPlainFiles: Subject = async (folder, putAll) => {
  const parent = openSync(folder, 'r');
  await putAll((index, bytes) => {
    const path = join(folder, nameOf(index));
    const descriptor = openSync(`${path}.tmp`, 'wx', 0o600);
    writeSync(descriptor, bytes);
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${path}.tmp`, path);
    fsyncSync(parent);
  });
  closeSync(parent);
};

function rowOf(index: number, bytes: Uint8Array): FileRow {
  return {
    id: fileIdFromBytes(randomBytes(16)),
    folder: 'puts',
    name: nameOf(index),
    mimeType: 'application/octet-stream',
    sizeBytes: bytes.length,
    sha256: new Uint8Array(createHash('sha256').update(bytes).digest()),
    placement: 'blob',
    condition: 'ok',
    createdAtMs: 1_700_000_000_000 + index,
    modifiedAtMs: 1_600_000_000_000 + index,
    transferId: undefined,
  };
}

function nameOf(index: number): string {
  return `file-${String(index).padStart(6, '0')}.bin`;
}
