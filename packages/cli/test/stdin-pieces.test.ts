import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { stdinPieces } from '../src/input/stdin-pieces.ts';

test('the memory of a piece is given back when the next one is asked for, unless others use it too', async () => {
  const own = Buffer.from(new ArrayBuffer(8)).fill('a');
  const shared = Buffer.from(new ArrayBuffer(16)).subarray(0, 8).fill('b');
  const seen: string[] = [];
  for await (const piece of stdinPieces({ stdin: Readable.from([own, shared, Buffer.from('end')]) }))
    seen.push(Buffer.from(piece).toString());
  expect(seen).toEqual(['aaaaaaaa', 'bbbbbbbb', 'end']);
  expect([own.buffer.byteLength, shared.buffer.byteLength]).toEqual([0, 16]);
});
