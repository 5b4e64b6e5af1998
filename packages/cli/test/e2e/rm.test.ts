import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTerminal, parseLines } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
beforeEach(async () => {
  vault = await TestVault.create();
  await vault.put('a.txt', 'aaa');
  await vault.put('docs/b.txt', 'bbb');
  await vault.put('docs/c.txt', 'ccc');
});
afterEach(() => {
  vault[Symbol.dispose]();
});

const paths = async (): Promise<string> => (await vault.run(['ls', '-r'])).stdout;

test('one file goes without a question', async () => {
  const { code, stdout, stderr } = await vault.run(['rm', 'a.txt']);
  expect([code, stdout, stderr]).toEqual([0, 'a.txt\n', 'Removed 1 file, 3 B.\n']);
  expect(await paths()).toBe('docs/b.txt\ndocs/c.txt\n');
});

test('a folder needs -r', async () => {
  const { code, stderr } = await vault.run(['rm', 'docs', '-y']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('-r') as string]);
});

test('a folder, or several items, are asked about: exit 4 where nobody can be', async () => {
  for (const args of [
    ['rm', '-r', 'docs'],
    ['rm', 'a.txt', 'docs/b.txt'],
    ['rm', '-r', 'docs', '--no-input'],
  ]) {
    const { code, stderr } = await vault.run(args);
    expect([code, stderr]).toEqual([4, expect.stringContaining('-y') as string]);
  }
  expect(await paths()).toBe('a.txt\ndocs/b.txt\ndocs/c.txt\n');
});

test('-y agrees', async () => {
  const { code, stdout } = await vault.run(['rm', '-y', '-r', 'docs', 'a.txt']);
  expect([code, stdout.split('\n').toSorted()]).toEqual([0, ['', 'a.txt', 'docs/b.txt', 'docs/c.txt']]);
  expect(await paths()).toBe('');
});

test('flags of the command and global ones may stand together, in any order', async () => {
  expect((await vault.run(['rm', '-ryq', 'docs'])).stdout).toBe('');
  expect(await paths()).toBe('a.txt\n');
  expect((await vault.run(['rm', '-yr', '/', '-q'])).code).toBe(0);
  expect(await paths()).toBe('');
});

test('no is exit 5 and removes nothing, yes removes', async () => {
  const no = createTerminal(['n']);
  const declined = await vault.run(['rm', '-r', 'docs'], { openTerminal: () => no });
  expect([declined.code, declined.stderr]).toEqual([5, 'coffer: error: nothing was removed\n']);
  expect(no.shown()).toContain('Remove 2 files (6 B) for good?');
  const yes = await vault.run(['rm', '-r', 'docs'], { openTerminal: () => createTerminal(['y']) });
  expect(yes.code).toBe(0);
  expect(await paths()).toBe('a.txt\n');
});

test('-n says what would go, without a question', async () => {
  const { code, stdout, stderr } = await vault.run(['rm', '-r', '-n', 'docs']);
  expect([code, stdout, stderr]).toEqual([0, 'docs/b.txt\ndocs/c.txt\n', 'Would remove 2 files, 6 B.\n']);
  expect(await vault.json(['rm', '-r', '-n', 'docs/b.txt'])).toMatchObject([
    { type: 'file', path: 'docs/b.txt', planned: true },
    { type: 'summary', command: 'rm', dryRun: true, removed: 0, planned: 1 },
  ]);
  expect(await paths()).toBe('a.txt\ndocs/b.txt\ndocs/c.txt\n');
});

test('an item that could be two things is refused with its candidates', async () => {
  await vault.put('other/a.txt', 'x');
  await vault.put('third/a.txt', 'y');
  await vault.run(['rm', 'a.txt', '-q']);
  const { code, stderr } = await vault.run(['rm', 'a.txt', '--json']);
  expect(code).toBe(2);
  expect(parseLines(stderr)[0]).toMatchObject({ type: 'error', code: 'AMBIGUOUS', exitCode: 2 });
});

test('what is not there is named, the rest is removed, exit 3', async () => {
  const { code, stdout, stderr } = await vault.run(['rm', '-y', 'a.txt', 'none.txt']);
  expect([code, stdout]).toEqual([3, 'a.txt\n']);
  expect(stderr).toContain('none.txt');
});

test('--shred clears the database as well and says so', async () => {
  await vault.put('docs/large.bin', Buffer.alloc(200_000, 'x'));
  const { code, stdout, stderr } = await vault.run(['rm', '-ry', '--shred', 'docs']);
  expect([code, stdout]).toEqual([0, 'docs/b.txt\ndocs/c.txt\ndocs/large.bin\n']);
  expect(stderr).toBe('Removed and shredded 3 files, 200 kB.\n');
  expect(vault.sealedNames()).toEqual([]);
  expect(await vault.json(['rm', '--shred', 'a.txt'])).toMatchObject([
    { type: 'file', path: 'a.txt', shredded: true },
    { type: 'summary', command: 'rm', removed: 1, shredded: 1, failed: 0 },
  ]);
});

test('-n with --shred changes nothing', async () => {
  const { stderr } = await vault.run(['rm', '-rn', '--shred', 'docs']);
  expect(stderr).toBe('Would remove 2 files, 6 B.\n');
  expect(await paths()).toBe('a.txt\ndocs/b.txt\ndocs/c.txt\n');
});
