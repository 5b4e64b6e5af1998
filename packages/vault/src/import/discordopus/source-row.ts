import { hexToBytes } from '@coffer/crypto';
import type { ForeignCell, ForeignDatabase } from '@coffer/database';
import { VaultError } from '../../errors.ts';
import { parseSourceTime } from './source-time.ts';

export const SOURCE_TABLE = 'files';
/** Without these it is another application's table. */
export const NEEDED_COLUMNS = ['id', 'filename', 'size', 'hash', 'data', 'file_path'] as const;
const OTHER_COLUMNS = ['mime_type', 'created_at'] as const;

/** Values of more bytes than this, but for `data`, are not what the application wrote. */
const MAX_TEXT_SIZE_BYTES: number = 16 * 1024;
/** The application seals what has 102,400 bytes. This is room for another threshold, and a bound of memory. */
export const MAX_BLOB_SIZE_BYTES: number = 64 * 1024 * 1024;

/** A file of the source, as far as its row says what it is. */
export interface SourceRow {
  readonly rowid: string;
  readonly id: string;
  readonly filename: string | undefined;
  readonly mimeType: string | undefined;
  /** What the content has to be, as far as it is recorded. */
  readonly expected: { readonly sizeBytes?: number; readonly sha256?: Uint8Array };
  readonly modifiedAtMs: number | undefined;
  readonly content:
    | { readonly kind: 'row'; readonly sizeBytes: number }
    | { readonly kind: 'token'; readonly filePath: string };
}

/** How messages call a row, whatever is wrong with it. */
export function describeRow(database: ForeignDatabase, rowid: string): string {
  const { id, filename } = database.row(SOURCE_TABLE, rowid, ['id', 'filename'], MAX_TEXT_SIZE_BYTES);
  return `${textOf(filename) ?? 'a file without a name'} (${idOf(id, rowid)})`;
}

/** Reads and checks a row, but for its content. Throws `DAMAGED`, `INVALID_INPUT`. */
export function readSourceRow(
  database: ForeignDatabase,
  rowid: string,
  columns: readonly string[],
): SourceRow {
  const absent: ForeignCell = { type: 'null' };
  const cells: Record<(typeof NEEDED_COLUMNS | typeof OTHER_COLUMNS)[number], ForeignCell> = {
    ...{ mime_type: absent, created_at: absent },
    ...database.row(SOURCE_TABLE, rowid, NEEDED_COLUMNS, MAX_TEXT_SIZE_BYTES),
    ...database.row(
      SOURCE_TABLE,
      rowid,
      OTHER_COLUMNS.filter((column) => columns.includes(column)),
      MAX_TEXT_SIZE_BYTES,
    ),
  };
  for (const column of NEEDED_COLUMNS) {
    if (cells[column].type === 'damaged')
      throw damaged(`its row is damaged: ${column} can't be read from data.db`);
  }
  const sizeBytes = parseSize(cells.size);
  return {
    rowid,
    id: idOf(cells.id, rowid),
    filename: textOf(cells.filename),
    mimeType: parseMimeType(cells.mime_type),
    expected: { ...(sizeBytes === undefined ? {} : { sizeBytes }), ...parseHash(cells.hash) },
    modifiedAtMs: parseSourceTime(cells.created_at),
    content: parseContent(cells.data, cells.file_path, sizeBytes),
  };
}

function parseContent(
  data: ForeignCell,
  filePath: ForeignCell,
  sizeBytes: number | undefined,
): SourceRow['content'] {
  const path = filePath.type === 'null' ? '' : textOf(filePath);
  if (path === undefined) throw damaged('its file_path is not a text');
  const isInRow = data.type === 'blob' || data.type === 'text';
  // Some leave an empty BLOB in the row of what they seal.
  if (isInRow && (path === '' || data.sizeBytes === sizeBytes))
    return { kind: 'row', sizeBytes: data.sizeBytes };
  if (path !== '') return { kind: 'token', filePath: path };
  if (data.type === 'null') throw damaged('its row has neither data nor a file_path');
  throw damaged(`its data is of the type ${data.type}, not a BLOB`);
}

function parseSize(cell: ForeignCell): number | undefined {
  if (cell.type === 'null') return undefined;
  const size = cell.type === 'integer' ? Number(cell.value) : -1;
  if (!Number.isSafeInteger(size) || size < 0) throw damaged('its size is not a number of bytes');
  return size;
}

function parseHash(cell: ForeignCell): { readonly sha256?: Uint8Array } {
  if (cell.type === 'null' || (cell.type === 'text' && cell.value === '')) return {};
  if (cell.type === 'blob' && cell.value?.length === 32) return { sha256: cell.value };
  if (cell.type === 'text' && /^[0-9a-f]{64}$/i.test(cell.value ?? ''))
    return { sha256: hexToBytes((cell.value ?? '').toLowerCase()) };
  throw damaged('its hash is not a SHA-256');
}

function parseMimeType(cell: ForeignCell): string | undefined {
  const text = textOf(cell)?.toLowerCase();
  return text !== undefined && /^[\w.+-]{1,64}\/[\w.+-]{1,64}$/.test(text) ? text : undefined;
}

function idOf(cell: ForeignCell, rowid: string): string {
  if (cell.type === 'integer') return String(cell.value);
  const text = textOf(cell);
  return text === undefined || text === '' || text.length > 100 ? `row ${rowid}` : text;
}

function textOf(cell: ForeignCell): string | undefined {
  return cell.type === 'text' ? cell.value : undefined;
}

export function damaged(message: string, cause?: unknown): VaultError {
  return new VaultError('DAMAGED', message, {
    cause,
    hint: 'the source has to be mended, or that file restored from a backup of it; everything else is imported',
  });
}
