import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createViteServer } from 'vitest/node';
import { node, noble } from './backends.ts';
import { utf8 } from './support.ts';

const PACKAGE = join(import.meta.dirname, '..');
const ONLY_ON_NODE = 'src/backend/node.ts';

it('runs every suite on two different backends', async () => {
  const { backend: openssl } = await import('../src/backend/node.ts');
  const { backend: typescript } = await import('../src/backend/noble.ts');
  expect([openssl.name, typescript.name]).toEqual(['node', 'noble']);
  // Two loads of the package: what one makes is not an instance of the other's class.
  expect(node.SecretKey).not.toBe(noble.SecretKey);
});

it('names nothing of Node but in the backend for Node, and needs no newer syntax than browsers have', () => {
  const files = readdirSync(join(PACKAGE, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name).replaceAll('\\', '/'))
    .filter((name) => name !== ONLY_ON_NODE);
  expect(files.length).toBeGreaterThan(20);
  const guilty = files.filter((name) =>
    /'node:|\bBuffer\b|\bprocess\.|\brequire\(|^\s*(await )?using /m.test(
      readFileSync(join(PACKAGE, name), 'utf8'),
    ),
  );
  expect(guilty).toEqual([]);
});

describe('without the `node` condition', () => {
  let server: Awaited<ReturnType<typeof createViteServer>>;
  beforeAll(async () => {
    server = await createViteServer({
      root: PACKAGE,
      configFile: false,
      logLevel: 'error',
      server: { middlewareMode: true, ws: false, watch: null },
      appType: 'custom',
      optimizeDeps: { noDiscovery: true },
      ssr: { noExternal: true, resolve: { conditions: ['@coffer/source', 'browser'] } },
    });
  });
  afterAll(() => server.close());

  it('the package is the one over noble, imports nothing of Node, and works', async () => {
    const crypto = (await server.ssrLoadModule('/src/index.ts')) as typeof node;
    const loaded = [...server.environments.ssr.moduleGraph.idToModuleMap.keys()];
    const ours = loaded.map((id) => relative(PACKAGE, id)).filter((id) => id.startsWith('src'));
    expect(ours).toContain('src/backend/noble.ts');
    expect(ours).not.toContain(ONLY_ON_NODE);
    expect(loaded.filter((id) => !id.startsWith('/') || id.includes('browser-external'))).toEqual([]);

    const key = crypto.FernetKey.generate();
    expect(crypto.decryptFernet(key, crypto.encryptFernet(key, utf8('text')))).toEqual(utf8('text'));
  });
});

it('with the `node` condition, `#backend` is the one over node:crypto', async () => {
  const { backend } = await import('#backend');
  expect(backend.name).toBe('node');
});
