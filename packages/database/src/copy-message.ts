import { DatabaseError } from './errors.ts';
import type { DatabaseErrorCode } from './errors.ts';
import { KEY_SIZE_BYTES } from './page-layout.ts';

/*
 * What a copying process is told and what it answers. Request: key 32 ‖ new key 32, or zeros where the key stays ‖ changes the key u8 ‖ length of the
 * paths u32 ‖ paths, UTF-8, separated by NUL: of the database, of the raw copy, of the file to fill; without that one, the raw copy is only checked. Little-endian. Answer: one
 * JSON object in a line.
 */

const HEAD_SIZE_BYTES: number = 2 * KEY_SIZE_BYTES + 5;
const MAX_PATHS_SIZE_BYTES = 3 * 65_536;

export interface CopyRequest {
  readonly key: Uint8Array;
  /** When the copy is to have another one, or the same with a new salt. */
  readonly newKey?: Uint8Array | undefined;
  /** A database whose file does not change meanwhile. */
  readonly path: string;
  /** Gets the bytes of the database as they are, for SQLite to read, and is shredded. */
  readonly rawPath: string;
  /** An empty file, which is filled; without one, the structure of the raw copy is checked, and that is all. */
  readonly temporaryPath?: string;
}

/** Not from the shared pool: the caller zeroes it. */
export function encodeCopyRequest({ key, newKey, path, rawPath, temporaryPath }: CopyRequest): Buffer {
  const paths = Buffer.from(
    [path, rawPath, ...(temporaryPath === undefined ? [] : [temporaryPath])].join('\0'),
  );
  const request = Buffer.alloc(HEAD_SIZE_BYTES + paths.length);
  request.set(key);
  if (newKey !== undefined) request.set(newKey, KEY_SIZE_BYTES);
  request.writeUInt8(newKey === undefined ? 0 : 1, 2 * KEY_SIZE_BYTES);
  request.writeUInt32LE(paths.length, 2 * KEY_SIZE_BYTES + 1);
  request.set(paths, HEAD_SIZE_BYTES);
  return request;
}

/** `undefined` while there is not all of it. The keys are views of the request. */
export function decodeCopyRequest(request: Buffer): CopyRequest | undefined {
  if (request.length < HEAD_SIZE_BYTES) return undefined;
  const pathsSizeBytes = request.readUInt32LE(2 * KEY_SIZE_BYTES + 1);
  if (pathsSizeBytes > MAX_PATHS_SIZE_BYTES) throw new DatabaseError('INVALID', 'the paths are too long');
  if (request.length < HEAD_SIZE_BYTES + pathsSizeBytes) return undefined;
  const text = request.toString('utf8', HEAD_SIZE_BYTES, HEAD_SIZE_BYTES + pathsSizeBytes);
  const [path, rawPath, temporaryPath, ...others] = text.split('\0');
  if (path === undefined || rawPath === undefined || others.length > 0)
    throw new DatabaseError('INVALID', 'a copy needs two paths or three');
  return {
    key: request.subarray(0, KEY_SIZE_BYTES),
    ...(request.readUInt8(2 * KEY_SIZE_BYTES) === 0
      ? {}
      : { newKey: request.subarray(KEY_SIZE_BYTES, 2 * KEY_SIZE_BYTES) }),
    path,
    rawPath,
    ...(temporaryPath === undefined ? {} : { temporaryPath }),
  };
}

export type CopyAnswer =
  | { readonly type: 'done' }
  | { readonly type: 'error'; readonly code: DatabaseErrorCode; readonly message: string };

/** Codes with which a copy can fail. */
const CODES: readonly DatabaseErrorCode[] = [
  'CORRUPT',
  'NO_SPACE',
  'NOT_PERMITTED',
  'NOT_FOUND',
  'EXISTS',
  'INVALID',
  'UNSUPPORTED_RUNTIME',
];

export function encodeCopyAnswer(answer: CopyAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

/** Throws `FAILED` for anything that a copying process does not say. */
export function parseCopyAnswer(line: string): CopyAnswer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new DatabaseError('FAILED', 'the copying process said something that is not understood', {
      cause: error,
    });
  }
  if (typeof value === 'object' && value !== null) {
    const { type, code, message } = value as Record<string, unknown>;
    if (type === 'done') return { type };
    if (type === 'error')
      return { type, code: CODES.find((known) => known === code) ?? 'FAILED', message: String(message) };
  }
  throw new DatabaseError('FAILED', 'the copying process said something that is not understood');
}
