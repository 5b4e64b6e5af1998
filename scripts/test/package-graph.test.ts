import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LAYERS, checkPackageGraph, findCycles } from '../package-graph.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coffer-graph-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

interface PackageFixture {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  /** By path. */
  readonly files?: Readonly<Record<string, string>>;
}

function write(place: string, { files = {}, ...manifest }: PackageFixture = {}): void {
  const name = `@coffer/${place.slice(place.indexOf('/') + 1)}`;
  const all = {
    'package.json': JSON.stringify({ name, exports: { '.': './src/index.ts' }, ...manifest }),
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    const file = join(root, place, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** A sound repository with one package as it is given. */
function problemsOf(place: string, fixture: PackageFixture): string[] {
  write('packages/crypto');
  write('packages/transfer-models', { dependencies: { '@coffer/crypto': 'workspace:^' } });
  write('packages/database', { dependencies: { 'better-sqlite3-multiple-ciphers': 'catalog:' } });
  write('packages/vault', { dependencies: { '@coffer/crypto': 'workspace:^' } });
  write(place, fixture);
  return checkPackageGraph(root);
}

test('this repository keeps to its table', () => {
  expect(checkPackageGraph(dirname(dirname(import.meta.dirname)))).toEqual([]);
});

test('a sound package is not complained about', () => {
  const problems = problemsOf('packages/vault', {
    dependencies: { '@coffer/crypto': 'workspace:^', valibot: 'catalog:' },
    devDependencies: { vitest: 'catalog:' },
    imports: { '#own': './src/own.ts' },
    files: {
      'src/index.ts':
        "import { readFile } from 'node:fs/promises';\nexport * as c from '@coffer/crypto';\nimport '#own';\nimport './own.ts';\nimport 'valibot';",
      'src/own.ts': "// import '@coffer/cli'\nconst text = \"import 'left-pad'\";",
      'test/own.test.ts': "import 'vitest';\nimport '../src/own.ts';\nimport '@coffer/vault';",
      'node_modules/other/index.js': "require('@coffer/cli')",
      'dist/index.js': "import '@coffer/cli'",
    },
  });
  expect(problems).toEqual([]);
});

test('an application may use the packages of its row', () => {
  write('packages/vault');
  write('apps/desktop', {
    dependencies: { '@coffer/vault': 'workspace:^' },
    files: { 'src/window.tsx': "import '@coffer/vault';" },
  });
  expect(checkPackageGraph(root)).toEqual([]);
});

describe('package.json is refused with', () => {
  const cases: [string, string, PackageFixture, string][] = [
    [
      'a dependency upwards',
      'packages/crypto',
      { dependencies: { '@coffer/vault': 'workspace:^' } },
      'packages/crypto: dependencies has @coffer/vault, which it may not import',
    ],
    [
      'a dependency sideways, for tests only',
      'packages/transfer-models',
      { devDependencies: { '@coffer/database': 'workspace:^' } },
      'packages/transfer-models: devDependencies has @coffer/database, which it may not import',
    ],
    [
      'a range that a release would not rewrite',
      'packages/vault',
      { dependencies: { '@coffer/crypto': '^1.0.0' } },
      'packages/vault: @coffer/crypto must be workspace:^, not ^1.0.0',
    ],
    [
      'the driver',
      'packages/vault',
      { dependencies: { 'better-sqlite3-multiple-ciphers': 'catalog:' } },
      'packages/vault: dependencies has better-sqlite3-multiple-ciphers, which only database may use',
    ],
    [
      'another name',
      'packages/vault',
      { name: '@coffer/safe' },
      'packages/vault: its package must be called @coffer/vault',
    ],
    [
      'no row in the table',
      'packages/utils',
      {},
      'packages/utils: is not in the table of scripts/package-graph.ts',
    ],
  ];

  test.each(cases)('%s', (_, place, fixture, problem) => {
    expect(problemsOf(place, fixture)).toContain(problem);
  });
});

describe('a source is refused that imports', () => {
  const models = { dependencies: { '@coffer/crypto': 'workspace:^' } };
  const cases: [string, string, string, string][] = [
    [
      'a package above it',
      'src/a.ts',
      "import { Vault } from '@coffer/vault';",
      'imports @coffer/vault, which it may not',
    ],
    [
      'it for a type only',
      'src/a.ts',
      "import type { Vault } from '@coffer/vault';",
      'imports @coffer/vault, which it may not',
    ],
    [
      'it in a type',
      'src/a.ts',
      "export type V = import('@coffer/vault').Vault;",
      'imports @coffer/vault, which it may not',
    ],
    [
      'it when it is called',
      'src/a.ts',
      "const v = await import('@coffer/vault');",
      'imports @coffer/vault, which it may not',
    ],
    [
      'it to export it',
      'src/a.ts',
      "export { Vault } from '@coffer/vault';",
      'imports @coffer/vault, which it may not',
    ],
    ['it in a test', 'test/a.test.ts', "import '@coffer/vault';", 'imports @coffer/vault, which it may not'],
    ['it in a component', 'src/a.tsx', "import '@coffer/vault';", 'imports @coffer/vault, which it may not'],
    [
      'a file of another package',
      'src/a.ts',
      "import '@coffer/crypto/src/hex.ts';",
      'imports @coffer/crypto/src/hex.ts, which @coffer/crypto does not export',
    ],
    [
      'it by a relative path',
      'src/a.ts',
      "import '../../crypto/src/hex.ts';",
      'imports ../../crypto/src/hex.ts, which is outside its package',
    ],
    [
      'it by a relative path, in a test',
      'test/a.test.ts',
      "import '../../crypto/src/hex.ts';",
      'imports ../../crypto/src/hex.ts, which is outside its package',
    ],
    ['an absolute path', 'src/a.ts', "import '/etc/a.js';", 'imports the absolute path /etc/a.js'],
    [
      'itself by name',
      'src/a.ts',
      "import '@coffer/transfer-models';",
      'imports its own package as @coffer/transfer-models; use a relative path',
    ],
    [
      'what is not declared',
      'src/a.ts',
      "import 'left-pad/index.js';",
      'imports left-pad/index.js, which its package.json does not declare',
    ],
    [
      'what is not mapped',
      'src/a.ts',
      "import '#backend';",
      'imports #backend, which its package.json does not map',
    ],
    [
      'Node where a browser must do',
      'src/a.ts',
      "import 'node:fs';",
      'imports node:fs, but must run in a browser',
    ],
    ['Node without its prefix', 'test/a.test.ts', "import 'fs';", 'imports fs; write node:fs'],
    [
      'the driver',
      'src/a.ts',
      "import Database from 'better-sqlite3-multiple-ciphers';",
      'names better-sqlite3-multiple-ciphers, which only database may use',
    ],
    [
      'the driver by another way',
      'src/a.ts',
      "load('better-sqlite3-multiple-ciphers');",
      'names better-sqlite3-multiple-ciphers, which only database may use',
    ],
  ];

  test.each(cases)('%s', (_, path, text, problem) => {
    const problems = problemsOf('packages/transfer-models', { ...models, files: { [path]: text } });
    expect(problems).toEqual([`packages/transfer-models/${path}: ${problem}`]);
  });

  test('a dependency that only tests have', () => {
    const problems = problemsOf('packages/vault', {
      devDependencies: { 'fast-check': 'catalog:' },
      files: { 'src/a.ts': "import 'fast-check';", 'test/a.test.ts': "import 'fast-check';" },
    });
    expect(problems).toEqual([
      'packages/vault/src/a.ts: imports fast-check, which its package.json does not declare',
    ]);
  });

  test('Node, but in the sources that are for it', () => {
    const problems = problemsOf('packages/crypto', {
      files: { 'src/backend/node.ts': "import 'node:crypto';", 'src/hex.ts': "import 'node:crypto';" },
    });
    expect(problems).toEqual(['packages/crypto/src/hex.ts: imports node:crypto, but must run in a browser']);
  });
});

describe('a way round is found', () => {
  test('in edges', () => {
    expect(findCycles({ a: ['b'], b: ['c'], c: ['a'] })).toEqual(['a -> b -> c -> a']);
    expect(findCycles({ a: ['a'] })).toEqual(['a -> a']);
    expect(findCycles({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })).toEqual([]);
  });

  test('between packages that the table would let through', () => {
    const dependencies = (name: string) => ({ dependencies: { [name]: 'workspace:^' } });
    write('packages/crypto', dependencies('@coffer/database'));
    write('packages/database', dependencies('@coffer/crypto'));
    const layers = { crypto: { mayImport: ['database'] }, database: { mayImport: ['crypto'] } };
    expect(checkPackageGraph(root, layers)).toEqual([
      'the table itself goes round: crypto -> database -> crypto',
      'dependencies go round: crypto -> database -> crypto',
    ]);
  });

  test('nowhere in the table', () => {
    expect(
      findCycles(Object.fromEntries(Object.entries(LAYERS).map(([name, layer]) => [name, layer.mayImport]))),
    ).toEqual([]);
  });
});
