/** Bytes of what was deleted, or `'anything'`: whatever is left, of whatever it was. */
export type Residue = readonly Uint8Array[] | 'anything';

/** What is looked for in dead space: matched whole. Shorter ones would be found by chance. */
const MIN_NEEDLE_SIZE_BYTES = 8;

/** How much of a BLOB a b-tree page can hold; the rest is in overflow pages, which are zeroed whole when they are freed. */
const MAX_LOCAL_SIZE_BYTES = 4096;

/** Parts of the beginning of a BLOB, so that of any 15 bytes of it that are left at least one part is whole. */
export function needlesOfBlob(bytes: Uint8Array): Uint8Array[] {
  const head = bytes.subarray(0, MAX_LOCAL_SIZE_BYTES);
  const needles: Uint8Array[] = [];
  for (let at = 0; at + MIN_NEEDLE_SIZE_BYTES <= head.length; at += MIN_NEEDLE_SIZE_BYTES) {
    const needle = head.subarray(at, at + MIN_NEEDLE_SIZE_BYTES);
    // Zeros are what deleted space is filled with.
    if (needle.some((byte) => byte !== 0)) needles.push(needle);
  }
  return needles;
}

/** Looks for many needles at once. */
export class ResidueSearch {
  readonly #byPrefix = new Map<number, Buffer[]>();
  readonly #isAnything: boolean;

  constructor(residue: Residue) {
    this.#isAnything = residue === 'anything';
    for (const needle of residue === 'anything' ? [] : residue) {
      if (needle.length < MIN_NEEDLE_SIZE_BYTES) continue;
      const bytes = Buffer.from(needle.buffer, needle.byteOffset, needle.length);
      const prefix = bytes.readUInt32LE(0);
      const alike = this.#byPrefix.get(prefix);
      if (alike === undefined) this.#byPrefix.set(prefix, [bytes]);
      else alike.push(bytes);
    }
  }

  isIn(space: Buffer): boolean {
    if (this.#isAnything) return space.some((byte) => byte !== 0);
    for (let at = 0; at + MIN_NEEDLE_SIZE_BYTES <= space.length; at += 1) {
      const alike = this.#byPrefix.get(space.readUInt32LE(at));
      if (alike?.some((needle) => space.subarray(at, at + needle.length).equals(needle)) === true)
        return true;
    }
    return false;
  }
}
