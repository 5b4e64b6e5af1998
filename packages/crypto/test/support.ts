import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY: string = join(import.meta.dirname, '../../..');

export function readVectors(path: string): unknown {
  return JSON.parse(readFileSync(join(REPOSITORY, 'vectors', path), 'utf8'));
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whole, in two pieces at every place, and byte by byte. */
export function* cuts(data: Uint8Array): Generator<Uint8Array[]> {
  yield [data];
  for (let at = 0; at <= data.length; at++) yield [data.subarray(0, at), data.subarray(at)];
  yield Array.from(data, (byte) => Uint8Array.of(byte));
}

/** The code of what `work` throws; fails when it throws nothing. */
export function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  throw new Error('nothing was thrown');
}

/** Every array that differs from `data` in one bit. */
export function* flips(data: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < data.length * 8; bit++) {
    const changed = new Uint8Array(data);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield changed;
  }
}
