import { DatabaseError } from './errors.ts';
import type { DatabaseErrorCode } from './errors.ts';
import { KEY_SIZE_BYTES } from './page-layout.ts';
import type { PageScan, PageScanProgress } from './page-scan.ts';
import type { Residue } from './residue.ts';

/*
 * What a scanning process is told and what it answers. Request: key 32 ‖ path length u32 ‖ path, UTF-8 ‖ residue length u32 ‖ residue, on its
 * standard input: arguments and environment of a process can be read by others. The residue is length u16 ‖ bytes for each needle, or one byte
 * for anything. Little-endian. Answers: one JSON object per line.
 */

export type PageScanMessage =
  | ({ readonly type: 'progress' } & PageScanProgress)
  | ({ readonly type: 'result' } & PageScan)
  | { readonly type: 'error'; readonly code: DatabaseErrorCode; readonly message: string };

const HEAD_SIZE_BYTES: number = KEY_SIZE_BYTES + 4;
const MAX_PATH_SIZE_BYTES = 65_536;

/** 500 files with 4 KiB each, and their names, take a third of it. */
const MAX_RESIDUE_SIZE_BYTES: number = 16 * 1024 * 1024;
const ANYTHING: Uint8Array = new Uint8Array(1);

/** Codes with which a scan can fail. */
const CODES: readonly DatabaseErrorCode[] = [
  'NOT_A_DATABASE',
  'NOT_FOUND',
  'NOT_PERMITTED',
  'IN_USE',
  'INVALID',
];

export interface ScanRequest {
  readonly key: Uint8Array;
  readonly path: string;
  readonly residue?: Residue;
}

/** Not from the shared pool: the caller zeroes it. */
export function encodeScanRequest({ key, path, residue }: ScanRequest): Buffer {
  const pathSizeBytes = Buffer.byteLength(path);
  const residueBytes = encodeResidue(residue);
  const request = Buffer.alloc(HEAD_SIZE_BYTES + pathSizeBytes + 4 + residueBytes.length);
  request.set(key);
  request.writeUInt32LE(pathSizeBytes, KEY_SIZE_BYTES);
  request.write(path, HEAD_SIZE_BYTES, 'utf8');
  request.writeUInt32LE(residueBytes.length, HEAD_SIZE_BYTES + pathSizeBytes);
  request.set(residueBytes, HEAD_SIZE_BYTES + pathSizeBytes + 4);
  return request;
}

/** `undefined` while there is not all of it. */
export function decodeScanRequest(request: Buffer): ScanRequest | undefined {
  if (request.length < HEAD_SIZE_BYTES) return undefined;
  const pathSizeBytes = request.readUInt32LE(KEY_SIZE_BYTES);
  if (pathSizeBytes > MAX_PATH_SIZE_BYTES) throw new DatabaseError('INVALID', 'the path is too long');
  const pathEnd = HEAD_SIZE_BYTES + pathSizeBytes;
  if (request.length < pathEnd + 4) return undefined;
  const residueSizeBytes = request.readUInt32LE(pathEnd);
  if (residueSizeBytes > MAX_RESIDUE_SIZE_BYTES) throw tooMuchResidue();
  if (request.length < pathEnd + 4 + residueSizeBytes) return undefined;
  const residue = decodeResidue(request.subarray(pathEnd + 4, pathEnd + 4 + residueSizeBytes));
  return {
    key: request.subarray(0, KEY_SIZE_BYTES),
    path: request.toString('utf8', HEAD_SIZE_BYTES, pathEnd),
    ...(residue === undefined ? {} : { residue }),
  };
}

function encodeResidue(residue: Residue | undefined): Uint8Array {
  if (residue === undefined) return new Uint8Array();
  if (residue === 'anything') return ANYTHING;
  const sizeBytes = residue.reduce((sum, needle) => sum + 2 + needle.length, 0);
  if (sizeBytes > MAX_RESIDUE_SIZE_BYTES) throw tooMuchResidue();
  const bytes = Buffer.alloc(sizeBytes);
  let at = 0;
  for (const needle of residue) {
    at = bytes.writeUInt16LE(needle.length, at);
    bytes.set(needle, at);
    at += needle.length;
  }
  return bytes;
}

function decodeResidue(bytes: Buffer): Residue | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length === ANYTHING.length) return 'anything';
  const needles: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const sizeBytes = bytes.readUInt16LE(at);
    needles.push(bytes.subarray(at + 2, at + 2 + sizeBytes));
    at += 2 + sizeBytes;
  }
  return needles;
}

function tooMuchResidue(): DatabaseError {
  return new DatabaseError('INVALID', 'that is too much to look for at once');
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
  const { type, pagesDone, pageCount, damagedPages, residuePages, code, message } = value as Record<
    string,
    unknown
  >;
  if (type === 'error') {
    return { type, code: CODES.find((known) => known === code) ?? 'FAILED', message: String(message) };
  }
  if (!isCount(pageCount)) return undefined;
  if (type === 'progress' && isCount(pagesDone)) return { type, pagesDone, pageCount };
  if (type === 'result' && isCounts(damagedPages)) {
    if (residuePages === undefined) return { type, pageCount, damagedPages };
    if (isCounts(residuePages)) return { type, pageCount, damagedPages, residuePages };
  }
  return undefined;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
