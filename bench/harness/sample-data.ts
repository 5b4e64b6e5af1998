import { createHash, randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const PIECE_SIZE_BYTES = 4 * 1024 * 1024;

/** A file of random bytes. */
export function makeRandomFile(path: string, sizeBytes: number): void {
  const piece = Buffer.alloc(PIECE_SIZE_BYTES);
  const descriptor = openSync(path, 'wx');
  try {
    for (let done = 0; done < sizeBytes;) {
      randomFillSync(piece);
      done += writeSync(descriptor, piece, 0, Math.min(piece.length, sizeBytes - done));
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A file of zeros that takes no room: for sizes that would not fit, or be written in reasonable time. */
export function makeSparseFile(path: string, sizeBytes: number): void {
  const descriptor = openSync(path, 'wx');
  try {
    ftruncateSync(descriptor, sizeBytes);
  } finally {
    closeSync(descriptor);
  }
}

/** Files of random bytes, 1,000 to a folder: `0003/file-003042.bin`. */
export function makeManyFiles(folder: string, count: number, sizeBytes: number): void {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index < count; index += 1) {
    const parent = join(folder, String(Math.floor(index / 1000)).padStart(4, '0'));
    if (index % 1000 === 0) mkdirSync(parent, { recursive: true });
    randomFillSync(bytes);
    writeFileSync(join(parent, `file-${String(index).padStart(6, '0')}.bin`), bytes);
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_SIZE_BYTES }))
    hash.update(piece as Buffer);
  return hash.digest('hex');
}
