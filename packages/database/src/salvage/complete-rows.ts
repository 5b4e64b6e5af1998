import { sha256 } from '@coffer/crypto';
import { randomBytes } from 'node:crypto';
import { bytesOf, integerOf, oneOf, parseColumns, textOf } from '../columns.ts';
import type { Connection } from '../connection.ts';
import { FILE_ID_SIZE_BYTES, fileIdFromBytes, fileIdOf } from '../file-id.ts';
import type { FileId } from '../file-id.ts';
import { PLACEMENTS, fileRowValues } from '../file-row.ts';
import type { FileRow } from '../file-row.ts';
import type { FileName } from '../survey-files.ts';
import type { DamagedFile } from './damaged-file.ts';
import { filesInIndexOnly } from './gather-rows.ts';
import type { IndexedFile } from './gather-rows.ts';

/** What a row needs that no page says any more. */
export interface Completing {
  /** SHA-256 of the content of a sealed file, all of it verified; `undefined` when it can't be read. */
  readonly hashSealed: (file: {
    readonly id: FileId;
    readonly name: string;
    readonly sizeBytes: number;
  }) => Promise<Uint8Array | undefined>;
  /** A name and a MIME type for bytes that have lost theirs. */
  readonly nameBytes: (
    id: FileId,
    bytes: Uint8Array,
  ) => Promise<{ readonly name: string; readonly mimeType: string }>;
  readonly nowMs: () => number;
}

/**
 * Adds the files whose rows are lost, as the index by path knows them. One whose content can't be read to its end gets a hash of zeros, which no content has, and is returned: what is whole of it
 * is still to be had under its name.
 */
export async function addFilesOfIndex(
  connection: Connection,
  damaged: DamagedFile,
  { hashSealed }: Completing,
  signal: AbortSignal | undefined,
): Promise<FileName[]> {
  const unproven: FileName[] = [];
  for (const entry of filesInIndexOnly(connection, damaged)) {
    signal?.throwIfAborted();
    const id = fileIdFromBytes(entry.id);
    const { folder, name, sizeBytes } = entry;
    const placement = oneOf(entry.placement, PLACEMENTS, 'files_by_path.placement');
    const hash =
      placement === 'sealed'
        ? await hashSealed({ id, name, sizeBytes })
        : hashOfBlob(connection, entry.fileKey);
    const row = toRow(entry, id, placement, hash ?? new Uint8Array(SHA256_SIZE_BYTES));
    insertFile(connection, entry.fileKey, { ...row, condition: hash === undefined ? 'damaged' : 'ok' });
    // What is in the database alone is found when all rows are there.
    if (hash === undefined && placement === 'sealed') unproven.push({ id, folder, name, placement });
  }
  return unproven;
}

const SHA256_SIZE_BYTES = 32;

function hashOfBlob(connection: Connection, fileKey: number): Uint8Array | undefined {
  const row = connection.get('SELECT bytes FROM file_blobs WHERE file_key = ?', fileKey);
  return row === undefined ? undefined : sha256(bytesOf(parseColumns(row)['bytes'], 'file_blobs.bytes'));
}

function toRow(
  { folder, name, mimeType, sizeBytes, createdAtMs, modifiedAtMs }: IndexedFile,
  id: FileId,
  placement: FileRow['placement'],
  hash: Uint8Array,
): FileRow {
  const common = { folder, name, mimeType, sizeBytes, createdAtMs, modifiedAtMs };
  return { id, ...common, placement, sha256: hash, condition: 'ok', transferId: undefined };
}

/** Gives the bytes that belong to no file any more a name; returns what they are called now. */
export async function addNamelessBlobs(
  connection: Connection,
  { nameBytes, nowMs }: Completing,
  signal: AbortSignal | undefined,
): Promise<FileName[]> {
  const named: FileName[] = [];
  const keys = connection.all(
    'SELECT file_key FROM file_blobs WHERE file_key NOT IN (SELECT file_key FROM files) ORDER BY file_key',
  );
  for (const row of keys) {
    signal?.throwIfAborted();
    const fileKey = integerOf(parseColumns(row)['file_key'], 'file_blobs.file_key');
    const found = connection.get('SELECT bytes FROM file_blobs WHERE file_key = ?', fileKey);
    const bytes = bytesOf(parseColumns(found)['bytes'], 'file_blobs.bytes');
    const id = fileIdFromBytes(randomBytes(FILE_ID_SIZE_BYTES));
    const { name, mimeType } = await nameBytes(id, bytes);
    const times = { createdAtMs: nowMs(), modifiedAtMs: nowMs() };
    const about = { id, folder: '', name, placement: 'blob' } as const;
    const content = { mimeType, sizeBytes: bytes.length, sha256: sha256(bytes) };
    insertFile(connection, fileKey, {
      ...about,
      ...content,
      ...times,
      condition: 'ok',
      transferId: undefined,
    });
    named.push(about);
  }
  return named;
}

/** Marks small files whose bytes are lost as damaged, and returns them. */
export function markWithoutBytes(connection: Connection): FileName[] {
  const without = `placement = 'blob' AND file_key NOT IN (SELECT file_key FROM file_blobs)`;
  const rows = connection.all(
    `SELECT lower(hex(id)) AS id, folder, name FROM files NOT INDEXED WHERE ${without} ORDER BY folder, name`,
  );
  connection.run(`UPDATE files SET condition = 'damaged' WHERE ${without}`);
  return rows.map((row) => {
    const columns = parseColumns(row);
    return {
      id: fileIdOf(columns['id'], 'files.id'),
      folder: textOf(columns['folder'], 'files.folder'),
      name: textOf(columns['name'], 'files.name'),
      placement: 'blob',
    };
  });
}

/** Removes tags of files that are lost. */
export function dropDangling(connection: Connection): void {
  connection.run('DELETE FROM file_tags WHERE file_key NOT IN (SELECT file_key FROM files)');
}

function insertFile(connection: Connection, fileKey: number, row: FileRow): void {
  const marks = Array.from({ length: 13 }, () => '?').join(', ');
  connection.run(`INSERT INTO files VALUES (${marks})`, fileKey, ...fileRowValues(row));
}
