import { closeSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PIECE_SIZE_BYTES = 4 * 1024 * 1024;

/** Reads a file, or all in a folder, so that it is in the page cache: a system may drop what was not read for some seconds. */
export function warm(path: string): void {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) warm(join(path, name));
    return;
  }
  const descriptor = openSync(path, 'r');
  const piece = Buffer.alloc(PIECE_SIZE_BYTES);
  try {
    while (readSync(descriptor, piece) > 0);
  } finally {
    closeSync(descriptor);
  }
}
