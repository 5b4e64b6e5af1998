import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const SCRIPTS = dirname(import.meta.dirname);
const MODULES = join(dirname(SCRIPTS), 'node_modules');

/** The line that the reporter writes for these test files, by their names. */
function count(files: Readonly<Record<string, string>>): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-count-'));
  const counts = join(folder, 'counts');
  try {
    symlinkSync(MODULES, join(folder, 'node_modules'), 'junction');
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), `import { expect, test } from 'vitest';\n${text}`);
    }
    const reporter = join(SCRIPTS, 'count-reporter.ts');
    spawnSync(
      process.execPath,
      [join(MODULES, 'vitest', 'vitest.mjs'), 'run', '--root', folder, '--reporter', reporter],
      {
        env: { ...process.env, COFFER_TEST_COUNTS: counts },
      },
    );
    return existsSync(counts) ? readFileSync(counts, 'utf8') : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('passed, failed and skipped tests are counted, in groups as well', () => {
  const line = count({
    'a.test.ts': "test('a', () => {});\ntest('b', () => { expect(1).toBe(2); });\ntest.skip('c', () => {});",
    'b.test.ts':
      "import { describe } from 'vitest';\ndescribe('g', () => { test('a', () => {}); test.skipIf(true)('b', () => {}); test.todo('c'); });",
  });
  expect(line).toBe('2 passed, 1 failed, 3 skipped\n');
});

test('a file that cannot be loaded has failed', () => {
  const line = count({ 'a.test.ts': "test('a', () => {});", 'b.test.ts': "throw new Error('no');" });
  expect(line).toBe('1 passed, 1 failed, 0 skipped\n');
});

test('an error outside of every test has failed', () => {
  const line = count({ 'a.test.ts': "test('a', () => { void Promise.reject(new Error('no')); });" });
  expect(line).toBe('1 passed, 1 failed, 0 skipped\n');
});
