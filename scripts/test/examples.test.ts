import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';
import { makeExamples } from '../examples/examples.ts';

const folder = join(dirname(dirname(import.meta.dirname)), 'examples');
const examples = makeExamples();

test('the committed examples are those that the script makes', () => {
  const committed = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  expect(committed.sort()).toEqual([...examples.keys()].sort());
  for (const [path, bytes] of examples) {
    expect(readFileSync(join(folder, path)).equals(bytes), path).toBe(true);
  }
});

test('they cover the awkward sizes and stay small together', () => {
  const sizes = [...examples.values()].map((bytes) => bytes.length);
  expect(sizes).toEqual(expect.arrayContaining([0, 1, 102_399, 102_400, 3_000_000]));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(5_000_000);
});
