import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The published vectors, which every fuzzer begins with. */
export function readVectors(path: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../vectors', path), 'utf8'));
}

export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
