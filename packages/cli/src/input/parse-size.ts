import { usageError } from '../cli-error.ts';

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A size in bytes from `1500`, `10kB`, `1.5 GB`, `2GiB`; k, M, G and T are powers of 1000. */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(text) ?? [];
  const factor = FACTORS[unit.toLowerCase()];
  if (digits === undefined || factor === undefined) {
    throw usageError(`not a size: ${text}`, 'write it as 1500, 10kB, 1.5GB or 2GiB');
  }
  return Math.round(Number(digits) * factor);
}
