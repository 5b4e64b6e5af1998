/** Tries a release of what is committed, in a clone: versions and changelogs are made, and nothing is published. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runProgram } from './run-program.ts';

const ROOT = dirname(import.meta.dirname);

const clone = mkdtempSync(join(tmpdir(), 'coffer-release-'));
try {
  runProgram('git', ['clone', '--quiet', ROOT, clone], { cwd: ROOT });
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'), 'junction');
  const due = findDueReleases();
  const before = readVersions();
  runProgram('changeset', ['version'], { cwd: clone });
  const after = readVersions();
  for (const name of due) {
    if (after.get(name) === undefined)
      throw new Error(`a changeset names ${name}, and there is no such package`);
    if (after.get(name) === before.get(name))
      throw new Error(`${name} has a changeset and keeps its version`);
  }
  runProgram('pnpm', ['publish', '--recursive', '--dry-run', '--no-git-checks', '--ignore-scripts'], {
    cwd: clone,
  });
  console.log(
    `A release now would be ${[...after].map(([name, version]) => `${name} ${version}`).join(', ')}.`,
  );
} finally {
  rmSync(clone, { recursive: true, force: true });
}

/** The packages that a changeset names. */
function findDueReleases(): Set<string> {
  const folder = join(clone, '.changeset');
  const changesets = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
  return new Set(
    changesets.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^['"](@coffer\/[\w-]+)['"]:/gm)].map(
        ([, found = '']) => found,
      ),
    ),
  );
}

/** The version of each package by its name. */
function readVersions(): Map<string, string> {
  const folder = join(clone, 'packages');
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return new Map(
    names.map((entry) => {
      const text = readFileSync(join(folder, entry.name, 'package.json'), 'utf8');
      const { name, version } = JSON.parse(text) as { name: string; version: string };
      return [name, version];
    }),
  );
}
