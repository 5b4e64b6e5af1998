import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const packages = readdirSync(join(import.meta.dirname, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, root: join(import.meta.dirname, 'packages', name) }));

// One project for each workspace package and one for each of these; all of them share what is set below.
const others = ['scripts', 'crash', 'damage', 'fuzz'].map((name) => ({
  name,
  root: join(import.meta.dirname, name),
}));
// The commands once more, with an agent that has each vault open: nothing may be different.
const withAgent = {
  name: 'cli-agent',
  root: join(import.meta.dirname, 'packages', 'cli'),
  include: ['test/e2e/**/*.test.ts'],
  // Two start and end their agents themselves; one has no vault; in one an agent would read what its command may not.
  exclude: ['agent', 'keychain', 'directory', 'unreadable-source'].map((name) => `test/e2e/${name}.test.ts`),
  env: { COFFER_TEST_AGENT: '1' },
};
const projects = [...packages, ...others, withAgent].map((test) => ({
  extends: true as const,
  test,
}));

// For .ci/run, which ends with these numbers.
const { COFFER_TEST_COUNTS: countsFile } = process.env;

export default defineConfig({
  // Import workspace packages from their TypeScript sources, so that tests need no build.
  ssr: { resolve: { conditions: ['@coffer/source', ...defaultServerConditions] } },
  test: {
    projects,
    // All cores: many tests wait for the disk or for a process that they started.
    maxWorkers: '100%',
    // Against what hangs; a busy machine may take many times as long as an idle one. No test has less, and few have more.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    reporters: countsFile === undefined ? ['default'] : ['default', './scripts/count-reporter.ts'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/bin.ts'],
      reporter: ['text', 'lcov'],
      thresholds: { lines: 80 },
    },
  },
});
