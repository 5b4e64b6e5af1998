import { DatabaseError } from './errors.ts';
import type { DatabaseErrorCode } from './errors.ts';
import { KEY_SIZE_BYTES } from './page-layout.ts';
import type { PageScan, PageScanProgress } from './page-scan.ts';

/*
 * What a scanning process is told and what it answers. Request: key 32 ‖ path length u32, little-endian ‖ path, UTF-8, on its
 * standard input: arguments and environment of a process can be read by others. Answers: one JSON object per line.
 */

export type PageScanMessage =
  | ({ readonly type: 'progress' } & PageScanProgress)
  | ({ readonly type: 'result' } & PageScan)
  | { readonly type: 'error'; readonly code: DatabaseErrorCode; readonly message: string };

const HEAD_SIZE_BYTES: number = KEY_SIZE_BYTES + 4;
const MAX_PATH_SIZE_BYTES = 65_536;

/** Codes with which a scan can fail. */
const CODES: readonly DatabaseErrorCode[] = [
  'NOT_A_DATABASE',
  'NOT_FOUND',
  'NOT_PERMITTED',
  'IN_USE',
  'INVALID',
];

/** Not from the shared pool: the caller zeroes it. */
export function encodeScanRequest(key: Uint8Array, path: string): Buffer {
  const pathSizeBytes = Buffer.byteLength(path);
  const request = Buffer.alloc(HEAD_SIZE_BYTES + pathSizeBytes);
  request.set(key);
  request.writeUInt32LE(pathSizeBytes, KEY_SIZE_BYTES);
  request.write(path, HEAD_SIZE_BYTES, 'utf8');
  return request;
}

/** `undefined` while there is not all of it. */
export function decodeScanRequest(request: Buffer): { key: Uint8Array; path: string } | undefined {
  if (request.length < HEAD_SIZE_BYTES) return undefined;
  const pathSizeBytes = request.readUInt32LE(KEY_SIZE_BYTES);
  if (pathSizeBytes > MAX_PATH_SIZE_BYTES) throw new DatabaseError('INVALID', 'the path is too long');
  if (request.length < HEAD_SIZE_BYTES + pathSizeBytes) return undefined;
  return {
    key: request.subarray(0, KEY_SIZE_BYTES),
    path: request.toString('utf8', HEAD_SIZE_BYTES, HEAD_SIZE_BYTES + pathSizeBytes),
  };
}

export function encodeScanMessage(message: PageScanMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** Throws `FAILED` for anything that a scanning process does not say. */
export function parseScanMessage(line: string): PageScanMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new DatabaseError('FAILED', 'the page scan said something that is not understood', {
      cause: error,
    });
  }
  const message = toMessage(value);
  if (message === undefined)
    throw new DatabaseError('FAILED', 'the page scan said something that is not understood');
  return message;
}

function toMessage(value: unknown): PageScanMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, pagesDone, pageCount, damagedPages, code, message } = value as Record<string, unknown>;
  if (type === 'error') {
    return { type, code: CODES.find((known) => known === code) ?? 'FAILED', message: String(message) };
  }
  if (!isCount(pageCount)) return undefined;
  if (type === 'progress' && isCount(pagesDone)) return { type, pagesDone, pageCount };
  if (type === 'result' && Array.isArray(damagedPages) && damagedPages.every(isCount)) {
    return { type, pageCount, damagedPages };
  }
  return undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
