import { expect, test } from 'vitest';
import { ended, runCoffer, startCoffer } from './support/coffer.ts';

const pretend = (version: string): Record<string, string> => {
  const versions = `{ value: { ...process.versions, node: '${version}' } }`;
  const code = `Object.defineProperty(process, 'versions', ${versions}); Object.defineProperty(process, 'version', { value: 'v${version}' });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
};

test.each(['18.20.0', '20.19.5', '24.10.0'])(
  'on Node.js %s it says what it needs, and loads nothing',
  async (version) => {
    const { code, stdout, stderr } = await runCoffer(['ls'], { env: pretend(version) });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(`coffer: error: coffer needs Node.js 24.11 or newer; this is v${version}\n`);
  },
);

test.each(['24.11.0', '26.0.0'])('on Node.js %s it runs', async (version) => {
  expect(await runCoffer(['--version'], { env: pretend(version) })).toMatchObject({ code: 0, stderr: '' });
});

/** The packages whose modules are loaded. */
const loadedBy = async (...args: string[]): Promise<string[]> => {
  const { stderr } = await ended(startCoffer(args, { env: { NODE_DEBUG: 'esm,module' } }));
  const urls = stderr.matchAll(
    /\burl: 'file:\/\/[^']*(?:node_modules|\/packages)\/((?:@[^/']+\/)?[^/']+)\/[^']*'/g,
  );
  return [...new Set([...urls].map(([, name]) => name ?? ''))].toSorted();
};

test('nothing heavy is loaded before it is needed', async () => {
  expect(await loadedBy('--version')).toEqual(['cli']);
  expect(await loadedBy('help')).toEqual(['@commander-js/extra-typings', 'cli', 'commander']);
  const loaded = await loadedBy('paths');
  expect(loaded).toContain('vault');
  expect(loaded).not.toContain('@clack/prompts');
});
