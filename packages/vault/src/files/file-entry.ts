import type { CofferDatabase, FileRow } from '@coffer/database';
import { damagedSinceMs } from '@coffer/storage';

/** A file of a vault, as people and programs see it. */
export interface FileEntry {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
  /** `''` is the root. */
  readonly folder: string;
  /** Folder and name, joined by `/`; unique in a vault. */
  readonly path: string;
  readonly sizeBytes: number;
  /** 64 hex digits. */
  readonly sha256: string;
  readonly mimeType: string;
  readonly placement: 'blob' | 'sealed';
  readonly condition: 'ok' | 'missing' | 'damaged';
  /** When that was first noticed; not there where it is not known, or nothing is wrong. */
  readonly damagedSinceMs?: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
  readonly tags: readonly string[];
}

export function toFileEntry(row: FileRow, tags: readonly string[]): FileEntry {
  return {
    id: row.id,
    name: row.name,
    folder: row.folder,
    path: joinPath(row.folder, row.name),
    sizeBytes: row.sizeBytes,
    sha256: hexOf(row.sha256),
    mimeType: row.mimeType,
    placement: row.placement,
    condition: row.condition,
    createdAtMs: row.createdAtMs,
    modifiedAtMs: row.modifiedAtMs,
    tags,
  };
}

/** A listing of 100,000 files writes 3.2 million bytes so: Buffer does it in native code. */
function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** Rows with their tags, in the order of the rows. */
export function toFileEntries(database: CofferDatabase, rows: readonly FileRow[]): FileEntry[] {
  const tags = database.tags.ofMany(rows.map((row) => row.id));
  return rows.map((row) => {
    const entry = toFileEntry(row, tags.get(row.id) ?? []);
    const sinceMs = row.condition === 'ok' ? undefined : damagedSinceMs(database, row.id);
    return sinceMs === undefined ? entry : { ...entry, damagedSinceMs: sinceMs };
  });
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** Splits a vault path at its last slash. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return slash < 0
    ? { folder: '', name: path }
    : { folder: path.slice(0, slash), name: path.slice(slash + 1) };
}
