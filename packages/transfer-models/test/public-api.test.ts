import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as api from '../src/index.ts';

const folder = join(import.meta.dirname, '..', 'src');
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

test('the package exports exactly these values', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "CHUNK_SIZE_BYTES",
      "MAX_CHUNK_COUNT",
      "MAX_FILE_SIZE_BYTES",
      "MAX_MIME_TYPE_LENGTH",
      "MAX_PATH_DEPTH",
      "MAX_PATH_SIZE_BYTES",
      "ProgressMeter",
      "RESUMABLE_STATES",
      "TRANSFER_DIRECTIONS",
      "TRANSFER_STATES",
      "TransferModelError",
      "canTransition",
      "chunkBounds",
      "chunkCount",
      "createFileChunk",
      "findPathCollision",
      "isFileChunkIntact",
      "isTerminal",
      "parseFileChunk",
      "parseFileTransferMetadata",
      "parseRelativePath",
      "parseTransferDirection",
      "parseTransferProgress",
      "parseTransferState",
      "progressFromSamples",
      "transition",
    ]
  `);
});

test('the sources import nothing but themselves, @coffer/crypto and valibot: nothing of Node', () => {
  const specifiers = sources.flatMap(({ text }) =>
    [...text.matchAll(/\b(?:from|import|require)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
      ([, specifier = '']) => specifier,
    ),
  );
  expect(specifiers.length).toBeGreaterThan(10);
  const foreign = new Set(specifiers.filter((specifier) => !specifier.startsWith('./')));
  expect([...foreign].sort()).toEqual(['@coffer/crypto', 'valibot']);
});

test('the sources use no global of Node or of a browser', () => {
  const users = sources.filter(({ text }) =>
    /\b(?:process|Buffer|global|__dirname|window|document|navigator|TextEncoder|setTimeout|performance)\b\s*[.([]|import\.meta/.test(
      text,
    ),
  );
  expect(users.map(({ name }) => name)).toEqual([]);
});

test('nothing of the schema library is in a public type', () => {
  const withSchemas = sources.filter(({ text }) => /^export [^\n]*\bv\./m.test(text));
  expect(withSchemas.map(({ name }) => name)).toEqual(['schema.ts']);
  const index = sources.find(({ name }) => name === 'index.ts');
  expect(index?.text).not.toContain('schema.ts');
});
