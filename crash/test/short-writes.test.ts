import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileShortWrites, runWithShortWrites } from '../short-writes.ts';
import { Templates } from '../templates.ts';

let templates: Templates;
const folder = mkdtempSync(join(tmpdir(), 'coffer-short-'));
const { library = '', reason } = compileShortWrites(folder);

beforeAll(async () => {
  templates = await Templates.make(join(folder, 'stages'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

// Each way to write that there is; `pnpm crash` has the other operations.
test
  .skipIf(reason !== undefined)
  .each(['add-tree', 'add-large', 'get-large', 'rm-sealed', 'key-add', 'rotate', 'backup', 'restore'])(
  `%s goes on where a write was cut short, and does all that it does${reason === undefined ? '' : `: ${reason}`}`,
  async (operation) => {
    expect(await runWithShortWrites(templates, operation, library)).toEqual({
      reached: true,
      problem: undefined,
    });
  },
);
