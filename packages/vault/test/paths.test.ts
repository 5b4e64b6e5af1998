import { isAbsolute } from 'node:path';
import { expect, test } from 'vitest';
import { defaultVaultDirectory, vaultPaths } from '../src/paths.ts';

test('everything of a vault is in its folder', () => {
  expect(vaultPaths('/v')).toEqual({
    directory: '/v',
    database: '/v/data.db',
    keptDatabase: '/v/data.db.damaged',
    files: '/v/files',
    quarantine: '/v/quarantine',
    vaultFile: '/v/vault.json',
    vaultFileCopy: '/v/vault.json.bak',
    ownerLock: '/v/owner.lock',
  });
});

test('paths are absolute even if the folder was not', () => {
  for (const path of Object.values(vaultPaths('some/vault')) as string[]) expect(isAbsolute(path)).toBe(true);
});

const linux = { platform: 'linux', homeDirectory: '/home/ada' } as const;
const windows = { platform: 'win32', homeDirectory: 'C:\\Users\\Ada' } as const;

test.each([
  ['Linux without XDG_DATA_HOME', { ...linux, env: {} }, '/home/ada/.local/share/coffer'],
  ['Linux with XDG_DATA_HOME', { ...linux, env: { XDG_DATA_HOME: '/data' } }, '/data/coffer'],
  ['an empty XDG_DATA_HOME', { ...linux, env: { XDG_DATA_HOME: '' } }, '/home/ada/.local/share/coffer'],
  ['a relative XDG_DATA_HOME', { ...linux, env: { XDG_DATA_HOME: 'data' } }, '/home/ada/.local/share/coffer'],
  [
    'FreeBSD',
    { platform: 'freebsd', homeDirectory: '/home/ada', env: {} } as const,
    '/home/ada/.local/share/coffer',
  ],
  [
    'macOS, whatever XDG says',
    { platform: 'darwin', homeDirectory: '/Users/ada', env: { XDG_DATA_HOME: '/data' } } as const,
    '/Users/ada/Library/Application Support/coffer',
  ],
  [
    'Windows',
    { ...windows, env: { APPDATA: 'D:\\Profiles\\Ada\\AppData\\Roaming' } },
    'D:\\Profiles\\Ada\\AppData\\Roaming\\coffer',
  ],
  [
    'Windows with a network folder',
    { ...windows, env: { APPDATA: '\\\\server\\ada' } },
    '\\\\server\\ada\\coffer',
  ],
  ['Windows without APPDATA', { ...windows, env: {} }, 'C:\\Users\\Ada\\AppData\\Roaming\\coffer'],
  ['a relative APPDATA', { ...windows, env: { APPDATA: 'x' } }, 'C:\\Users\\Ada\\AppData\\Roaming\\coffer'],
  [
    'an APPDATA without a drive',
    { ...windows, env: { APPDATA: '\\x' } },
    'C:\\Users\\Ada\\AppData\\Roaming\\coffer',
  ],
])('the folder of the vault on %s', (_name, input, expected) => {
  expect(defaultVaultDirectory(input)).toBe(expected);
});
