import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

// One project for each workspace package; all of them share what is set below.
const projects = readdirSync(join(import.meta.dirname, 'packages'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({
    extends: true as const,
    test: { name, root: join(import.meta.dirname, 'packages', name) },
  }));

export default defineConfig({
  // Import workspace packages from their TypeScript sources, so that tests need no build.
  ssr: { resolve: { conditions: ['@coffer/source', ...defaultServerConditions] } },
  test: {
    projects,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['**/bin.ts'],
      reporter: ['text', 'lcov'],
      thresholds: { lines: 80 },
    },
  },
});
