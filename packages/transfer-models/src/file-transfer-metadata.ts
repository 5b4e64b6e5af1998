import * as v from 'valibot';
import { chunkCount } from './file-chunk.ts';
import { CHUNK_SIZE_BYTES, MAX_CHUNK_COUNT, MAX_MIME_TYPE_LENGTH } from './limits.ts';
import { parseRelativePath } from './relative-path.ts';
import type { RelativePath } from './relative-path.ts';
import { FILE_SIZE_SCHEMA, SHA256_SCHEMA, integerSchema, parseWith } from './schema.ts';

/** What a sender says about one file before its bytes. */
export interface FileTransferMetadata {
  /** The sender's id, 32 lower-case hexadecimal digits. Never a name on the receiver's disk. */
  readonly fileId: string;
  readonly path: RelativePath;
  readonly sizeBytes: number;
  readonly mimeType: string;
  /** Of the whole file, 32 bytes. */
  readonly sha256: Uint8Array;
  /** `CHUNK_SIZE_BYTES`: a chunk becomes a segment of the receiver's sealed file. */
  readonly chunkSizeBytes: number;
  /** Follows from the size; see `chunkCount`. */
  readonly chunkCount: number;
}

// RFC 6838 §4.2 for the names; parameters are any printable ASCII, which nothing here interprets.
const MIME_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?: *;[\x20-\x7e]*)?$/i;

const SCHEMA = v.pipe(
  v.object(
    {
      fileId: v.pipe(
        v.string('must be a text'),
        v.regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hexadecimal digits'),
      ),
      path: v.pipe(v.unknown(), v.transform(parseRelativePath)),
      sizeBytes: FILE_SIZE_SCHEMA,
      mimeType: v.pipe(
        v.string('must be a text'),
        v.maxLength(MAX_MIME_TYPE_LENGTH, `must be at most ${String(MAX_MIME_TYPE_LENGTH)} characters`),
        v.regex(MIME_TYPE, 'must be a MIME type'),
      ),
      sha256: SHA256_SCHEMA,
      chunkSizeBytes: v.literal(CHUNK_SIZE_BYTES, `must be ${String(CHUNK_SIZE_BYTES)}`),
      chunkCount: integerSchema(MAX_CHUNK_COUNT),
    },
    'must be an object with fileId, path, sizeBytes, mimeType, sha256, chunkSizeBytes and chunkCount',
  ),
  v.check(
    (metadata) => metadata.chunkCount === chunkCount(metadata.sizeBytes),
    'must have as many chunks as its size makes',
  ),
);

/** Fields that it does not know are ignored and dropped; the hash is copied. Throws `INVALID`, `TOO_LARGE`. */
export function parseFileTransferMetadata(value: unknown): FileTransferMetadata {
  return parseWith(SCHEMA, "a file's metadata", value);
}
