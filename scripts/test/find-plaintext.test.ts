import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { PlaintextFinder, findNames } from '../find-plaintext.ts';
import { makeExamples } from '../examples/examples.ts';

const secret = new TextEncoder().encode('the key to the lamp room hangs behind the barometer');

function finderOf(contents: Record<string, Uint8Array>): PlaintextFinder {
  return new PlaintextFinder(new Map(Object.entries(contents)));
}

test('a piece is found wherever it stands, and where it came from is said', () => {
  const finder = finderOf({ letter: secret });
  const noise = randomBytes(5000);
  for (const offset of [0, 1, 777, 5000 - 24]) {
    const bytes = Buffer.from(noise);
    bytes.set(secret.subarray(24, 48), offset);
    expect(finder.find(bytes)).toEqual([{ source: 'letter', offsetInSource: 24, offset }]);
  }
});

test('any 47 bytes of a content are enough, whatever their place in it', () => {
  const finder = finderOf({ letter: secret });
  for (let start = 0; start + 47 <= secret.length - (secret.length % 24); start++) {
    expect(finder.find(secret.subarray(start, start + 47))).toHaveLength(1);
  }
});

test('every example that has a piece is found in itself', () => {
  const examples = makeExamples();
  const finder = new PlaintextFinder(examples);
  expect(finder.tooShort).toEqual(['nothing.txt', 'one byte.bin']);
  for (const [path, bytes] of examples) {
    const sources = finder.find(bytes).map(({ source }) => source);
    if (finder.tooShort.includes(path)) expect(sources).toEqual([]);
    else expect(sources).toContain(path);
  }
});

test('nothing is found in noise, in a changed piece, in padding or in nothing', () => {
  const finder = finderOf({ letter: secret, silence: new Uint8Array(1000) });
  expect(finder.tooShort).toEqual(['silence']);
  expect(finder.find(randomBytes(1_000_000))).toEqual([]);
  expect(finder.find(secret.map((byte, index) => (index % 24 === 7 ? byte ^ 1 : byte)))).toEqual([]);
  expect(finder.find(new Uint8Array(1000))).toEqual([]);
  expect(finder.find(new Uint8Array(0))).toEqual([]);
});

test('names are found in UTF-8 and in UTF-16', () => {
  const names = ['a☂.md', 'four bells.wav', 'x.c'];
  expect(findNames(Buffer.from('..a☂.md..'), names)).toEqual(['a☂.md']);
  expect(findNames(Buffer.from('..four bells.wav', 'utf16le'), names)).toEqual(['four bells.wav']);
  expect(findNames(randomBytes(100_000), names)).toEqual([]);
});
