import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { chooseVaultDirectory } from '../src/input/vault-directory.ts';

const linux = { env: {}, platform: 'linux' as const, homeDirectory: '/home/ann' };

test('--vault comes before COFFER_VAULT, which comes before the default', () => {
  const host = { ...linux, env: { COFFER_VAULT: '/mnt/vault' } };
  expect(chooseVaultDirectory('here', host)).toBe(resolve('here'));
  expect(chooseVaultDirectory(undefined, host)).toBe('/mnt/vault');
  expect(chooseVaultDirectory(undefined, linux)).toBe('/home/ann/.local/share/coffer');
});

test('XDG_DATA_HOME counts when it is absolute', () => {
  expect(chooseVaultDirectory(undefined, { ...linux, env: { XDG_DATA_HOME: '/data' } })).toBe('/data/coffer');
  expect(chooseVaultDirectory(undefined, { ...linux, env: { XDG_DATA_HOME: 'data' } })).toBe(
    '/home/ann/.local/share/coffer',
  );
});

test('macOS and Windows have folders of their own', () => {
  expect(chooseVaultDirectory(undefined, { ...linux, platform: 'darwin', homeDirectory: '/Users/ann' })).toBe(
    '/Users/ann/Library/Application Support/coffer',
  );
  const windows = {
    env: { APPDATA: String.raw`C:\Users\ann\AppData\Roaming` },
    platform: 'win32' as const,
    homeDirectory: '',
  };
  expect(chooseVaultDirectory(undefined, windows)).toContain(String.raw`C:\Users\ann\AppData\Roaming\coffer`);
});
