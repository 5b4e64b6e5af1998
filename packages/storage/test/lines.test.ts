import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '../src/backup/lines.ts';

async function* inPieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  // One buffer for all of them, as a reader of a file has.
  const piece = new Uint8Array(sizeBytes);
  for (let at = 0; at < bytes.length; at += sizeBytes) {
    const part = bytes.subarray(at, at + sizeBytes);
    piece.set(part);
    yield await Promise.resolve(piece.subarray(0, part.length));
  }
}

async function linesIn(bytes: Uint8Array, pieceSizeBytes = 64, maxSizeBytes = 100): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(inPieces(bytes, pieceSizeBytes), maxSizeBytes)) lines.push(line);
  return lines;
}

const line = fc.string({ unit: fc.constantFrom('0', '9', 'a', 'f', ' ', '-'), maxLength: 100 });

test('lines are the same in whatever pieces they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 300 }), async (lines, pieceSizeBytes) => {
      const bytes = Buffer.from(lines.map((each) => `${each}\n`).join(''));
      expect(await linesIn(bytes, pieceSizeBytes)).toEqual(lines);
      expect(await linesIn(bytes, 1)).toEqual(lines);
    }),
  );
});

test('a line one byte too long is refused, wherever its pieces end', async () => {
  const bytes = Buffer.from(`${'0'.repeat(100)}\n${'0'.repeat(101)}\n`);
  for (let size = 1; size <= bytes.length; size++)
    await expect(linesIn(bytes, size)).rejects.toMatchObject({ code: 'DAMAGED' });
});

test('a line without an end is refused once it is too long, and nothing after it is read', async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      read++;
      yield await Promise.resolve(new Uint8Array(64));
    }
  }
  await expect(linesOf(endless(), 100).next()).rejects.toMatchObject({ code: 'DAMAGED' });
  expect(read).toBe(2);
});

test('a last line that is cut off is refused, and so are bytes that are no text', async () => {
  await expect(linesIn(Buffer.from('0\n1'))).rejects.toMatchObject({ code: 'DAMAGED' });
  await expect(linesIn(Buffer.from([0x30, 0x80, 0x0a]))).rejects.toMatchObject({ code: 'DAMAGED' });
});
