import { openSync, readSync, statSync } from 'node:fs';
import type { ReadAt } from './wal-frames.ts';

/** `undefined` when there is none, or something that is no file. */
export function openLog(path: string): number | undefined {
  try {
    return statSync(path).isFile() ? openSync(path, 'r') : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads an open file; nothing when there is none. */
export function readerOf(descriptor: number | undefined): ReadAt {
  return (offset, length) =>
    descriptor === undefined ? Buffer.alloc(0) : readAt(descriptor, offset, length);
}

/** Less than was asked for at the end of the file. What the disk can't read is as good as not there. */
export function readAt(descriptor: number, offset: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readOrNothing(descriptor, buffer, filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

function readOrNothing(descriptor: number, buffer: Buffer, filled: number, position: number): number {
  try {
    return readSync(descriptor, buffer, filled, buffer.length - filled, position);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return 0;
    throw error;
  }
}
