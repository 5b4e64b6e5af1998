/** Makes examples/ anew. What is committed is what this makes; a test compares them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeExamples } from './examples/examples.ts';

const folder = join(dirname(import.meta.dirname), 'examples');
rmSync(folder, { recursive: true, force: true });
for (const [path, bytes] of makeExamples()) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  console.log(`${String(bytes.length).padStart(9)}  ${path}`);
}
