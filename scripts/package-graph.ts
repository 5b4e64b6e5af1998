import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

export interface Layer {
  /** The packages of ours that it may import. */
  readonly mayImport: readonly string[];
  /** Set for what must run in a browser: the sources that alone may import modules of Node. */
  readonly nodeSources?: readonly string[];
}

/** The table of docs/architecture.md: imports go down only. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  crypto: { mayImport: [], nodeSources: ['src/backend/node.ts'] },
  'transfer-models': { mayImport: ['crypto'], nodeSources: [] },
  database: { mayImport: ['crypto', 'transfer-models'] },
  storage: { mayImport: ['crypto', 'database'] },
  transfer: { mayImport: ['crypto', 'transfer-models'] },
  vault: { mayImport: ['crypto', 'database', 'storage', 'transfer-models', 'transfer'] },
  host: { mayImport: ['vault', 'transfer-models'] },
  cli: { mayImport: ['host', 'vault', 'transfer-models'] },
  desktop: { mayImport: ['host', 'vault', 'transfer-models'] },
};

const SCOPE = '@coffer/';
const DRIVER = 'better-sqlite3-multiple-ciphers';
const DRIVER_OWNER = 'database';
const WORKSPACE_RANGE = 'workspace:^';

const RUNTIME_KINDS = ['dependencies', 'peerDependencies', 'optionalDependencies'] as const;
const KINDS = [...RUNTIME_KINDS, 'devDependencies'] as const;

interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Package {
  /** The name without its scope. */
  readonly name: string;
  readonly folder: string;
  /** `packages/crypto`, as it is shown. */
  readonly place: string;
  readonly manifest: Manifest;
}

/** What is wrong with the packages of a repository, one line each; none when all is well. */
export function checkPackageGraph(root: string, layers: Readonly<Record<string, Layer>> = LAYERS): string[] {
  const packages = readPackages(root);
  return [
    ...findCycles(
      Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, layer.mayImport])),
    ).map((cycle) => `the table itself goes round: ${cycle}`),
    ...packages.flatMap((item) => {
      const layer = layers[item.name];
      if (layer === undefined) return [`${item.place}: is not in the table of scripts/package-graph.ts`];
      return [...checkManifest(item, layer), ...checkSources(item, layer, packages)];
    }),
    ...findCycles(Object.fromEntries(packages.map((item) => [item.name, dependenciesOfOurs(item)]))).map(
      (cycle) => `dependencies go round: ${cycle}`,
    ),
  ];
}

function readPackages(root: string): Package[] {
  return ['packages', 'apps'].flatMap((kind) => {
    const parent = join(root, kind);
    if (!existsSync(parent)) return [];
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(parent, entry.name, 'package.json')))
      .map(({ name }) => {
        const folder = join(parent, name);
        const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
        return { name, folder, place: `${kind}/${name}`, manifest };
      });
  });
}

function checkManifest({ name, place, manifest }: Package, { mayImport }: Layer): string[] {
  const problems: string[] = [];
  if (manifest.name !== SCOPE + name) problems.push(`${place}: its package must be called ${SCOPE}${name}`);
  for (const kind of KINDS) {
    for (const [dependency, range] of Object.entries(manifest[kind] ?? {})) {
      if (dependency === DRIVER && name !== DRIVER_OWNER) {
        problems.push(`${place}: ${kind} has ${DRIVER}, which only ${DRIVER_OWNER} may use`);
      }
      if (!dependency.startsWith(SCOPE)) continue;
      if (!mayImport.includes(dependency.slice(SCOPE.length))) {
        problems.push(`${place}: ${kind} has ${dependency}, which it may not import`);
      }
      if (range !== WORKSPACE_RANGE)
        problems.push(`${place}: ${dependency} must be ${WORKSPACE_RANGE}, not ${range}`);
    }
  }
  return problems;
}

function checkSources(item: Package, layer: Layer, packages: readonly Package[]): string[] {
  const { folder, place } = item;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|[\\/])(node_modules|dist|coverage|\.[^\\/]+)[\\/]/.test(relative(folder, file)));
  return files.flatMap((file) => {
    const path = relative(folder, file).split(sep).join('/');
    const shipped = path.startsWith('src/');
    const text = readFileSync(file, 'utf8');
    const specifiers = new Set(
      ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName),
    );
    const problems = [...specifiers].flatMap((specifier) => {
      const problem = specifier.startsWith('.')
        ? checkRelative(item, file, specifier)
        : checkBare(item, layer, specifier, { path, shipped, packages });
      return problem === undefined ? [] : [`${place}/${path}: ${problem}`];
    });
    // By `createRequire` as well, which no list of imports has.
    if (shipped && item.name !== DRIVER_OWNER && text.includes(`'${DRIVER}'`)) {
      problems.push(`${place}/${path}: names ${DRIVER}, which only ${DRIVER_OWNER} may use`);
    }
    return problems;
  });
}

function checkRelative({ folder }: Package, file: string, specifier: string): string | undefined {
  const target = relative(folder, resolve(dirname(file), specifier));
  return target.startsWith('..') ? `imports ${specifier}, which is outside its package` : undefined;
}

function checkBare(
  item: Package,
  { mayImport, nodeSources }: Layer,
  specifier: string,
  { path, shipped, packages }: { path: string; shipped: boolean; packages: readonly Package[] },
): string | undefined {
  if (specifier.startsWith('#')) {
    return item.manifest.imports?.[specifier] === undefined
      ? `imports ${specifier}, which its package.json does not map`
      : undefined;
  }
  if (specifier.startsWith('/') || specifier.startsWith('file:'))
    return `imports the absolute path ${specifier}`;
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith('node:')) return `imports ${specifier}; write node:${specifier}`;
    const refused = shipped && nodeSources !== undefined && !nodeSources.includes(path);
    return refused ? `imports ${specifier}, but must run in a browser` : undefined;
  }
  const dependency = packageOf(specifier);
  if (shipped && dependency === DRIVER && item.name !== DRIVER_OWNER) return undefined; // said once, by name
  if (dependency.startsWith(SCOPE)) {
    const name = dependency.slice(SCOPE.length);
    // Tests may see their own package as others do.
    const itself = name === item.name;
    if (itself && shipped) return `imports its own package as ${specifier}; use a relative path`;
    if (!itself && !mayImport.includes(name)) return `imports ${specifier}, which it may not`;
    const target = packages.find((other) => other.name === name);
    const entry = `.${specifier.slice(dependency.length)}`;
    if (target !== undefined && target.manifest.exports?.[entry] === undefined) {
      return `imports ${specifier}, which ${dependency} does not export`;
    }
    if (itself) return undefined;
  }
  const kinds = shipped ? RUNTIME_KINDS : KINDS;
  const declared = kinds.some((kind) => item.manifest[kind]?.[dependency] !== undefined);
  return declared ? undefined : `imports ${specifier}, which its package.json does not declare`;
}

/** `@scope/name` of `@scope/name/file`, `name` of `name/file`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function dependenciesOfOurs({ manifest }: Package): string[] {
  return KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {}))
    .filter((name) => name.startsWith(SCOPE))
    .map((name) => name.slice(SCOPE.length));
}

/** `a -> b -> a` for each way round that a walk over the edges comes upon. */
export function findCycles(edges: Readonly<Record<string, readonly string[]>>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start !== -1) cycles.push([...trail.slice(start), node].join(' -> '));
    if (start !== -1 || done.has(node)) return;
    for (const next of edges[node] ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of Object.keys(edges)) visit(node, []);
  return cycles;
}
