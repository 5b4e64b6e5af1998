import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLI_DOCS_PATH, renderCliDocs } from '../scripts/make-cli-docs.ts';

test('docs/cli.md is what the program says of itself (else run packages/cli/scripts/make-cli-docs.ts)', () => {
  expect(readFileSync(CLI_DOCS_PATH, 'utf8')).toBe(renderCliDocs());
});
