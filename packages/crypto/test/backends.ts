import { vi } from 'vitest';

/** The package, whole, over one backend. */
export type Crypto = typeof import('../src/index.ts');

/**
 * The package over each of its backends. `#backend` is chosen when a module is loaded, so the package is loaded twice; what takes its place
 * is the other real backend, never a stand-in.
 */
async function loadOver(name: 'node' | 'noble'): Promise<Crypto> {
  vi.resetModules();
  vi.doMock('#backend', () => import(`../src/backend/${name}.ts`));
  const loaded = await import('../src/index.ts');
  vi.doUnmock('#backend');
  return loaded;
}

export const node: Crypto = await loadOver('node');
export const noble: Crypto = await loadOver('noble');

/** For `describe.each`. */
export const backends: readonly (readonly [name: string, crypto: Crypto])[] = [
  ['node', node],
  ['noble', noble],
];
