import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireOwnerLock } from '../src/index.ts';
import { expectError } from './support/expect-error.ts';
import { OtherProcess } from './support/other-process.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

// Real processes and files, on machines that do other things as well.

test('a second call in this process is refused, and does not let another process in', async () => {
  const path = join(temporaryFolder(), 'owner.lock');
  using lock = acquireOwnerLock(path);
  expectError('IN_USE', () => acquireOwnerLock(path));
  expect(await new OtherProcess('lock-and-hold.ts', path).line()).toBe('IN_USE');
  expect(lock).toBeDefined();
});

test('another process that has it keeps this one out, until it is killed', async () => {
  const path = join(temporaryFolder(), 'owner.lock');
  const other = new OtherProcess('lock-and-hold.ts', path);
  expect(await other.line()).toBe('locked');
  expectError('IN_USE', () => acquireOwnerLock(path));
  await other.kill();
  acquireOwnerLock(path).release();
});

test.skipIf(process.platform !== 'linux')('the process that has it is named', async () => {
  const path = join(temporaryFolder(), 'owner.lock');
  const other = new OtherProcess('lock-and-hold.ts', path);
  expect(await other.line()).toBe('locked');
  expect(() => acquireOwnerLock(path)).toThrow(`in use by another process (pid ${String(other.pid)})`);
});

test('it can be taken again after it was released, and releasing twice is allowed', () => {
  const path = join(temporaryFolder(), 'owner.lock');
  const lock = acquireOwnerLock(path);
  lock.release();
  using again = acquireOwnerLock(path);
  lock.release();
  expectError('IN_USE', () => acquireOwnerLock(path));
  expect(again).toBeDefined();
});

test.skipIf(process.platform === 'win32')(
  'the file is for its owner only, whatever the umask, and one that was not becomes so',
  () => {
    const path = join(temporaryFolder(), 'owner.lock');
    const umask = process.umask(0);
    try {
      acquireOwnerLock(path).release();
    } finally {
      process.umask(umask);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    acquireOwnerLock(path).release();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  },
);

test('a link in its place is refused, and what it leads to is untouched', () => {
  const folder = temporaryFolder();
  const target = join(folder, 'target');
  symlinkSync(target, join(folder, 'owner.lock'));
  expectError('NOT_PERMITTED', () => acquireOwnerLock(join(folder, 'owner.lock')));
  writeFileSync(target, '');
  expectError('NOT_PERMITTED', () => acquireOwnerLock(join(folder, 'owner.lock')));
  expect(readdirSync(folder)).toEqual(['owner.lock', 'target']);
});

test('the file stays empty and nothing is left beside it', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'owner.lock');
  {
    using lock = acquireOwnerLock(path);
    expect(lock).toBeDefined();
    expect(readdirSync(folder)).toEqual(['owner.lock']);
  }
  expect(statSync(path).size).toBe(0);
  expect(readdirSync(folder)).toEqual(['owner.lock']);
});

test('what cannot be a lock is refused by its kind', () => {
  const folder = temporaryFolder();
  expectError('NOT_FOUND', () => acquireOwnerLock(join(folder, 'missing', 'owner.lock')));
  mkdirSync(join(folder, 'a folder'));
  expectError('NOT_PERMITTED', () => acquireOwnerLock(join(folder, 'a folder')));
  writeFileSync(join(folder, 'text'), 'x'.repeat(5000));
  expectError('NOT_A_DATABASE', () => acquireOwnerLock(join(folder, 'text')));
});

test('a link to itself in its place is refused with its name', () => {
  const folder = temporaryFolder();
  symlinkSync(join(folder, 'owner.lock'), join(folder, 'owner.lock'));
  expectError('NOT_PERMITTED', () => acquireOwnerLock(join(folder, 'owner.lock')));
});
