import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseLines, runMain } from '../support/run-main.ts';

const directoryOf = async (args: readonly string[], env: Record<string, string> = {}) =>
  parseLines((await runMain(['paths', '--json', ...args], { env })).stdout)[0]?.['directory'];

test('--vault comes before COFFER_VAULT, which comes before the default', async () => {
  const env = { COFFER_VAULT: '/mnt/vault' };
  expect(await directoryOf(['--vault', 'here'], env)).toBe(resolve('here'));
  expect(await directoryOf([], env)).toBe('/mnt/vault');
  expect(await directoryOf([], { COFFER_VAULT: '' })).toBe('/home/somebody/.local/share/coffer');
  expect(await directoryOf([], { XDG_DATA_HOME: '/data' })).toBe('/data/coffer');
});

test('an empty --vault is refused', async () => {
  expect((await runMain(['paths', '--vault', ''])).code).toBe(2);
});
