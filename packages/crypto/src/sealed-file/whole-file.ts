import { requireBytes } from '../argument.ts';
import { invalidToken } from '../errors.ts';
import type { SecretKey } from '../secret-key.ts';
import { FileKey } from './file-key.ts';
import { SEALED_FILE } from './format.ts';
import { invalidHeader } from './header-block.ts';
import type { SealedHeader } from './header-block.ts';
import { decodeHeader, encodeHeader } from './header.ts';
import type { DecodeHeaderOptions } from './header.ts';
import { sealedFileShape, sealedFileSize, segmentCount, segmentOffset, segmentPlainSize } from './layout.ts';
import { openSegment, sealSegmentInto } from './segment.ts';

/** A file larger than this is sealed and opened by its segments. */
const MAX_WHOLE_FILE_SIZE_BYTES = 2 ** 28;

/**
 * A whole sealed file in memory, with a fresh file key. For small files; `sealSegment` seals larger ones piece by piece.
 *
 * @throws CryptoError INVALID_ARGUMENT, also above 2^28 bytes; DISPOSED
 */
export function sealFile(storageKey: SecretKey, header: SealedHeader, plaintext: Uint8Array): Uint8Array {
  requireBytes(plaintext, 0, MAX_WHOLE_FILE_SIZE_BYTES, 'the plaintext');
  const fileKey = FileKey.generate();
  try {
    return sealWith(fileKey, storageKey, header, plaintext);
  } finally {
    fileKey[Symbol.dispose]();
  }
}

/**
 * Opens a whole sealed file in memory: all of it, or nothing.
 *
 * @throws CryptoError as `decodeHeader` does; INVALID_TOKEN for a segment that is not authentic in its place, and for a file that is cut
 *   off or extended; INVALID_ARGUMENT, DISPOSED
 */
export function openFile(file: Uint8Array, options: DecodeHeaderOptions): Uint8Array {
  const { HEADER_SIZE_BYTES } = SEALED_FILE;
  if (file.length < HEADER_SIZE_BYTES) throw invalidHeader();
  const { header, fileKey } = decodeHeader(file.subarray(0, HEADER_SIZE_BYTES), options);
  try {
    return openSegments(fileKey, file, header.segmentSizeLog2);
  } finally {
    fileKey[Symbol.dispose]();
  }
}

function sealWith(
  fileKey: FileKey,
  storageKey: SecretKey,
  header: SealedHeader,
  plaintext: Uint8Array,
): Uint8Array {
  const { segmentSizeLog2: log2 } = header;
  const encodedHeader = encodeHeader(storageKey, fileKey, header);
  const file = new Uint8Array(sealedFileSize(plaintext.length, log2));
  file.set(encodedHeader);
  const count = segmentCount(plaintext.length, log2);
  for (let index = 0; index < count; index++) {
    const start = index * 2 ** log2;
    const piece = plaintext.subarray(start, start + segmentPlainSize(index, plaintext.length, log2));
    const segment = { index, final: index === count - 1, plaintext: piece };
    sealSegmentInto(fileKey, segment, file.subarray(segmentOffset(index, log2)));
  }
  return file;
}

function openSegments(fileKey: FileKey, file: Uint8Array, log2: number): Uint8Array {
  const count = sealedFileShape(file.length, log2).segmentCount;
  const pieces: Uint8Array[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const final = index === count - 1;
      const end = final ? file.length : segmentOffset(index + 1, log2);
      const piece = openSegment(fileKey, {
        index,
        final,
        token: file.subarray(segmentOffset(index, log2), end),
      });
      pieces.push(piece);
      // Shorter than full can't be: a token of that size holds 2^log2 to 2^log2 + 15 bytes.
      if (piece.length > 2 ** log2) throw invalidToken();
    }
    const plaintext = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
    let offset = 0;
    for (const piece of pieces) {
      plaintext.set(piece, offset);
      offset += piece.length;
    }
    return plaintext;
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}
