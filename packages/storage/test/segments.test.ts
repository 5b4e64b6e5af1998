import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutSegments } from '../src/segments.ts';

async function* from(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

test('pieces of any size become full segments and one final one, whose bytes are theirs in order', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(pieces, fc.integer({ min: 1, max: 32 }), async (given, segmentSize) => {
      const got: { index: number; final: boolean; bytes: Uint8Array }[] = [];
      for await (const { index, final, plaintext } of cutSegments(from(given), segmentSize)) {
        got.push({ index, final, bytes: plaintext.slice() });
      }
      expect(Buffer.concat(got.map(({ bytes }) => bytes)).equals(Buffer.concat(given))).toBe(true);
      expect(got.map(({ index }) => index)).toEqual(got.map((_, index) => index));
      expect(got.filter(({ final }) => final)).toEqual(got.slice(-1));
      for (const { bytes } of got.slice(0, -1)) expect(bytes).toHaveLength(segmentSize);
      if (got.length > 1) expect(got.at(-1)?.bytes.length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
