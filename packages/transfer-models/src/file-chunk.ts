import { constantTimeEqual, sha256 } from '@coffer/crypto';
import * as v from 'valibot';
import { TransferModelError } from './errors.ts';
import { CHUNK_SIZE_BYTES, MAX_CHUNK_COUNT } from './limits.ts';
import { FILE_SIZE_SCHEMA, SHA256_SCHEMA, integerSchema, parseWith } from './schema.ts';

/** One piece of a file. All but the last have `CHUNK_SIZE_BYTES`; the last has at least one byte, unless the file has none. */
export interface FileChunk {
  /** From 0. */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes`, 32 bytes. */
  readonly hash: Uint8Array;
}

/** The place of a chunk in its file. */
export interface ChunkBounds {
  readonly startBytes: number;
  /** Exclusive. */
  readonly endBytes: number;
  /** Whether it is the last chunk. */
  readonly final: boolean;
}

/** How many chunks a file of this size has: at least one, for that of an empty file is empty. Throws `INVALID`, `TOO_LARGE`. */
export function chunkCount(sizeBytes: number): number {
  const size = parseWith(FILE_SIZE_SCHEMA, 'the size of a file', sizeBytes);
  return Math.max(1, Math.ceil(size / CHUNK_SIZE_BYTES));
}

/** Throws `INVALID` when a file of this size has no such chunk, and as `chunkCount` does. */
export function chunkBounds(index: number, sizeBytes: number): ChunkBounds {
  const count = chunkCount(sizeBytes);
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new TransferModelError(
      'INVALID',
      `a file of ${String(count)} chunks has no chunk ${String(index)}`,
    );
  }
  const startBytes = index * CHUNK_SIZE_BYTES;
  return {
    startBytes,
    endBytes: Math.min(startBytes + CHUNK_SIZE_BYTES, sizeBytes),
    final: index === count - 1,
  };
}

/** The chunk of these bytes, which are not copied. Throws as `parseFileChunk` does. */
export function createFileChunk(index: number, bytes: Uint8Array): FileChunk {
  return parseFileChunk({ index, bytes, hash: sha256(bytes) });
}

/** Whether the bytes are those that the hash was made of. */
export function isFileChunkIntact(chunk: FileChunk): boolean {
  return constantTimeEqual(sha256(chunk.bytes), chunk.hash);
}

const SCHEMA = v.object(
  {
    index: integerSchema(MAX_CHUNK_COUNT - 1),
    bytes: v.pipe(
      v.instance(Uint8Array, 'must be bytes'),
      v.maxLength(CHUNK_SIZE_BYTES, `must be at most ${String(CHUNK_SIZE_BYTES)} bytes`),
    ),
    hash: SHA256_SCHEMA,
  },
  'must be an object with index, bytes and hash',
);

/**
 * A chunk from outside; its bytes are not copied and not yet held against the hash. With the size of the file that it is for, the
 * index and the length must be those of one of its chunks. Throws `INVALID`, `TOO_LARGE`.
 */
export function parseFileChunk(value: unknown, fileSizeBytes?: number): FileChunk {
  const chunk = parseWith(SCHEMA, 'a chunk', value);
  if (fileSizeBytes !== undefined) checkFits(chunk, fileSizeBytes);
  else if (chunk.index > 0 && chunk.bytes.length === 0) {
    throw new TransferModelError('INVALID', 'only the first chunk may be empty, that of an empty file');
  }
  return chunk;
}

function checkFits(chunk: FileChunk, fileSizeBytes: number): void {
  const { startBytes, endBytes } = chunkBounds(chunk.index, fileSizeBytes);
  const expected = endBytes - startBytes;
  if (chunk.bytes.length === expected) return;
  throw new TransferModelError(
    'INVALID',
    `chunk ${String(chunk.index)} must have ${String(expected)} bytes, not ${String(chunk.bytes.length)}`,
  );
}
