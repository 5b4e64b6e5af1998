/** Small deterministic random numbers (mulberry32), so that a case that fails can be run again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function seededBytes(sizeBytes: number, seed: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length: sizeBytes }, () => Math.floor(random() * 256));
}
