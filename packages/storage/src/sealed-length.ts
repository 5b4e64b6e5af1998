import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { SEALED_FILE, sealedFileSize } from '@coffer/crypto';
import type { FileRow } from '@coffer/database';
import type { SealedFolder } from './sealed-folder.ts';

const SEGMENT_SIZE_OFFSET = 10;

export interface SealedLength {
  /** `undefined` when there is no such file. */
  readonly sizeBytes: number | undefined;
  /** What a row of this size needs. */
  readonly expectedBytes: number;
}

/**
 * The length of a row's sealed file beside the one that it should have, without a key. It depends on the size of the file's segments: only when the
 * length is not that of the usual one is the header looked at, which nothing here authenticates.
 */
export async function measureSealedFile(folder: SealedFolder, row: FileRow): Promise<SealedLength> {
  const sizeBytes = await folder.sealedSizeBytes(row.id);
  const usual = sealedFileSize(row.sizeBytes);
  if (sizeBytes === undefined || sizeBytes === usual) return { sizeBytes, expectedBytes: usual };
  const log2 = await readSegmentSizeLog2(folder.sealedPath(row.id));
  const isPossible = log2 >= SEALED_FILE.MIN_SEGMENT_SIZE_LOG2 && log2 <= SEALED_FILE.MAX_SEGMENT_SIZE_LOG2;
  const claimed = isPossible ? sealedFileSize(row.sizeBytes, log2) : usual;
  // A header that is damaged too must not make the message wrong.
  return { sizeBytes, expectedBytes: sizeBytes === claimed ? claimed : usual };
}

/** As the first header that there is claims; 0 when there is none. */
async function readSegmentSizeLog2(path: string): Promise<number> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (const place of [0, SEALED_FILE.HEADER_BLOCK_SIZE_BYTES]) {
      const byte = new Uint8Array(1);
      await handle.read(byte, 0, 1, place + SEGMENT_SIZE_OFFSET);
      if (byte[0] !== undefined && byte[0] !== 0) return byte[0];
    }
    return 0;
  } finally {
    await handle.close();
  }
}
