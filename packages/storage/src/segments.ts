/** A piece of plaintext that becomes one sealed segment. `plaintext` is only valid until the next one is asked for. */
export interface PlainSegment {
  readonly index: number;
  readonly final: boolean;
  readonly plaintext: Uint8Array;
}

/**
 * Cuts pieces of any size into segments of exactly `segmentSizeBytes`, the final one of 1 to that many bytes (0 only when
 * there is nothing at all). One buffer is filled again and again; it is zeroed at the end.
 */
export async function* cutSegments(
  pieces: AsyncIterable<Uint8Array>,
  segmentSizeBytes: number,
): AsyncGenerator<PlainSegment> {
  const buffer = new Uint8Array(segmentSizeBytes);
  let filled = 0;
  let index = 0;
  try {
    for await (const piece of pieces) {
      for (let taken = 0; taken < piece.length;) {
        // A full buffer is the final segment unless something follows: so it waits for the next byte.
        if (filled === segmentSizeBytes) {
          yield { index, final: false, plaintext: buffer };
          index++;
          filled = 0;
        }
        const count = Math.min(segmentSizeBytes - filled, piece.length - taken);
        buffer.set(piece.subarray(taken, taken + count), filled);
        filled += count;
        taken += count;
      }
    }
    yield { index, final: true, plaintext: buffer.subarray(0, filled) };
  } finally {
    buffer.fill(0);
  }
}
