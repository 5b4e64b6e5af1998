import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  isTrustedFolder,
  makeRuntimeFolder,
  placesOfThisProcess,
  runtimeFolders,
} from '../src/place/runtime-folder.ts';
import { choosePlace, placeName } from '../src/place/socket-place.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-run-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const places = { ...placesOfThisProcess(), env: {} };

test('it is that of the session, else that of the user, else one in the temporary folder', () => {
  const env = { XDG_RUNTIME_DIR: '/somewhere' };
  expect(runtimeFolders({ env, platform: 'linux', uid: 1000 })).toEqual([
    '/somewhere/coffer',
    '/run/user/1000/coffer',
    join(tmpdir(), 'coffer-1000'),
    ...(tmpdir() === '/tmp' ? [] : ['/tmp/coffer-1000']),
  ]);
  // A relative one is not valid, says its specification.
  expect(runtimeFolders({ env: { XDG_RUNTIME_DIR: 'run' }, platform: 'linux', uid: 1000 })[0]).toBe(
    '/run/user/1000/coffer',
  );
});

test('it is made for this user only, and used again', () => {
  const path = join(folder, 'coffer');
  expect(makeRuntimeFolder(path, places)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(makeRuntimeFolder(path, places)).toBe(true);
});

test("one that others can read, that is a link, or a file, or somebody else's, is refused", () => {
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  expect(makeRuntimeFolder(open, places)).toBe(false);
  mkdirSync(join(folder, 'target'), { mode: 0o700 });
  symlinkSync(join(folder, 'target'), join(folder, 'link'));
  expect(makeRuntimeFolder(join(folder, 'link'), places)).toBe(false);
  mkdirSync(join(folder, 'mine'), { mode: 0o700 });
  expect(isTrustedFolder(join(folder, 'mine'), places)).toBe(true);
  expect(isTrustedFolder(join(folder, 'mine'), { ...places, uid: places.uid + 1 })).toBe(false);
  expect(makeRuntimeFolder(join(folder, 'nowhere', 'coffer'), places)).toBe(false);
});

test('one in a folder where others can rename it is refused', () => {
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  expect(makeRuntimeFolder(join(shared, 'coffer'), places)).toBe(false);
  chmodSync(shared, 0o1777);
  expect(makeRuntimeFolder(join(shared, 'coffer'), places)).toBe(true);
});

test('a vault has one name by whatever path, and another vault another one', () => {
  mkdirSync(join(folder, 'vault'));
  mkdirSync(join(folder, 'other'));
  symlinkSync(join(folder, 'vault'), join(folder, 'link'));
  expect(placeName(join(folder, 'link'))).toBe(placeName(join(folder, 'vault')));
  expect(placeName(join(folder, 'other'))).not.toBe(placeName(join(folder, 'vault')));
});

test('a folder whose path is too long for a socket is passed over', () => {
  const long = join(folder, 'x'.repeat(80));
  mkdirSync(long, { mode: 0o700 });
  const place = choosePlace(folder, { ...places, env: { XDG_RUNTIME_DIR: long } });
  expect(place?.folder.startsWith(long)).toBe(false);
});
