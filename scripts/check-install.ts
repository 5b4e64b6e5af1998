/** Packs every package, installs the tarballs into an empty folder as a user would, and uses what came out. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { runProgram } from './run-program.ts';

const ROOT = dirname(import.meta.dirname);
const EXAMPLES = join(ROOT, 'examples');

/** Nothing of the workspace's package manager may reach the one of the user. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|coffer_|node_options$)/i.test(name)),
  ),
  // npm runs on the workspace's Node here, which else knows only the certificates that it was built with.
  NODE_USE_SYSTEM_CA: '1',
};

const folder = mkdtempSync(join(tmpdir(), 'coffer-install-'));
/** For the socket of an agent. */
const runtime = join(folder, 'run');
try {
  const packages = packAll();
  installAll(packages);
  for (const name of packages.keys()) importPackage(name);
  useCoffer();
  console.log(
    `Packed, installed and used ${[...packages.keys()].join(', ')} on Node.js ${process.versions.node}.`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The tarball of each package by its name. */
function packAll(): Map<string, string> {
  const tarballs = new Map<string, string>();
  for (const entry of readdirSync(join(ROOT, 'packages'), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const cwd = join(ROOT, 'packages', entry.name);
    const { name, private: isPrivate } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
      name: string;
      private?: boolean;
    };
    if (isPrivate === true) continue;
    const tarball = `${entry.name}.tgz`;
    // pnpm, not npm: it writes what publishConfig says and versions in the place of `workspace:`.
    run('pnpm', ['pack', '--out', join(folder, tarball)], { cwd, env: process.env });
    tarballs.set(name, tarball);
  }
  return tarballs;
}

function installAll(packages: ReadonlyMap<string, string>): void {
  const manifest = {
    name: 'someone-who-uses-coffer',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries([...packages].map(([name, tarball]) => [name, `file:./${tarball}`])),
    // What our packages ask the registry for among themselves is these tarballs.
    overrides: Object.fromEntries([...packages.keys()].map((name) => [name, `$${name}`])),
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
}

function importPackage(name: string): void {
  const program = `const names = Object.keys(await import('${name}')); if (names.length === 0) throw new Error('it exports nothing');`;
  run(process.execPath, ['--input-type=module', '--eval', program]);
}

/** A round trip through the installed binary, with a file for the database, one to be sealed, and the child that scans pages. */
function useCoffer(): void {
  const sources = join(folder, 'sources');
  mkdirSync(sources);
  mkdirSync(runtime, { mode: 0o700 });
  const names = [
    'nothing.txt',
    'just below the threshold.bin',
    'just at the threshold.bin',
    '🗝️ names are text, too ☂.md',
  ];
  for (const name of names) copyFileSync(join(EXAMPLES, name), join(sources, name));

  const { version } = JSON.parse(readFileSync(join(ROOT, 'packages', 'cli', 'package.json'), 'utf8')) as {
    version: string;
  };
  expectEqual(coffer('version').trim(), `coffer ${version}`, 'coffer version');

  writeFileSync(join(folder, 'passphrase.txt'), 'a passphrase of some length\n', { mode: 0o600 });
  coffer('init');
  coffer('key', 'add', '--new-passphrase-file', 'passphrase.txt');
  coffer('add', '-r', 'sources');
  const listed = coffer('ls', '-r', '--json', 'sources')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; name?: string })
    .filter(({ type }) => type === 'file')
    .map(({ name }) => name);
  expectEqual(listed.toSorted().join('\n'), names.toSorted().join('\n'), 'coffer ls');
  coffer('check');
  // What comes back comes through an agent, which is another process of the installed packages.
  coffer('unlock', '--for', '10min');
  coffer('get', 'sources', '-o', 'restored');
  for (const name of names) {
    const [before, after] = [join(sources, name), join(folder, 'restored', 'sources', name)].map((path) =>
      readFileSync(path),
    );
    if (before === undefined || after?.equals(before) !== true)
      throw new Error(`${name} did not come back as it was`);
  }
  expectEqual(coffer('lock', '--json').includes('"locked":true'), true, 'coffer lock');
}

function coffer(...args: readonly string[]): string {
  const bin = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'coffer.cmd' : 'coffer');
  return run(bin, ['--vault', 'vault', '--keyfile', 'vault.key', '--no-input', ...args], {
    env: { ...environment, XDG_RUNTIME_DIR: runtime },
  });
}

function run(
  program: string,
  args: readonly string[],
  { cwd = folder, env = environment }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): string {
  return runProgram(program, args, { cwd, env });
}

function expectEqual<T extends string | boolean>(actual: T, expected: T, what: string): void {
  if (actual !== expected)
    throw new Error(`${what} says ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}
