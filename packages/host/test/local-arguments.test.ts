import process from 'node:process';
import { expect, test } from 'vitest';
import type { Caller } from '../src/caller.ts';
import { thisProcess, thisProcessElsewhere } from '../src/caller.ts';
import { METHODS } from '../src/methods.ts';

const LOCAL: Caller = { cwd: '/work' };
const ELSEWHERE: Caller = { cwd: '/work', elsewhere: { pid: 7, umask: 0o027 } };

test('sources keep the names that they were given, and the folder is said', () => {
  expect(METHODS.addPaths.fromCaller?.([['a', '../b', '/c']], LOCAL)).toEqual([
    ['a', '../b', '/c'],
    { cwd: '/work' },
  ]);
  expect(METHODS.importFolder.fromCaller?.(['in', { tags: ['x'] }], ELSEWHERE)).toEqual([
    'in',
    { cwd: '/work', tags: ['x'] },
  ]);
});

test('the mask is said to another process only', () => {
  expect(METHODS.getPaths.fromCaller?.([['x']], LOCAL)).toEqual([['x'], { cwd: '/work' }]);
  const options = { destination: 'out', force: true };
  expect(METHODS.getPaths.fromCaller?.([['x'], options], ELSEWHERE)).toEqual([
    ['x'],
    { cwd: '/work', umask: 0o027, ...options },
  ]);
});

test('other paths become absolute, and are not normalized: a link may be on the way', () => {
  expect(METHODS.backup.fromCaller?.(['link/../disk'], ELSEWHERE)).toEqual(['/work/link/../disk']);
  const secret = { kind: 'keyfile', path: 'key' };
  expect(METHODS.addSlot.fromCaller?.([secret], LOCAL)).toEqual([{ kind: 'keyfile', path: '/work/key' }]);
  const passphrase = { kind: 'passphrase', passphrase: new Uint8Array() };
  expect(METHODS.addSlot.fromCaller?.([passphrase], ELSEWHERE)).toEqual([passphrase]);
});

test.skipIf(process.platform !== 'linux')(
  'what is another thing in every process is called by the number of this one',
  () => {
    const paths = ['/proc/self/cwd/a', '/dev/fd/3', '/proc/selfish', '/dev/fdx'];
    expect(METHODS.addPaths.fromCaller?.([paths], ELSEWHERE)[0]).toEqual([
      '/proc/7/cwd/a',
      '/proc/7/fd/3',
      '/proc/selfish',
      '/dev/fdx',
    ]);
    expect(METHODS.addPaths.fromCaller?.([paths], LOCAL)[0]).toEqual(paths);
  },
);

test('a process says its own folder and mask, and keeps its mask', () => {
  const before = process.umask(0o026);
  try {
    expect(thisProcessElsewhere()).toEqual({
      cwd: process.cwd(),
      elsewhere: { pid: process.pid, umask: 0o026 },
    });
    expect(process.umask(0o026)).toBe(0o026);
  } finally {
    process.umask(before);
  }
  expect(thisProcess()).toEqual({ cwd: process.cwd() });
});
