import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseLines, runMain } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  await vault.put('small.txt', 'small');
  await vault.put('large.bin', Buffer.alloc(300_000, 7));
});
afterAll(() => {
  vault[Symbol.dispose]();
});

/** Runs with --json and returns the exit code with that of the error object, which must be the same. */
const failing = async (args: readonly string[], env: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await vault.run([...args, '--json'], { env });
  const errors = parseLines(stderr).filter(({ type }) => type === 'error');
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ v: 1, exitCode: code, message: expect.any(String) as string });
  return { code, error: String(errors[0]?.['code']), stdout };
};

test('0: done', async () => {
  expect((await vault.run(['check'])).code).toBe(0);
});

test('1: an unexpected failure, such as a stdin that breaks', async () => {
  const stdin = new Readable({
    read() {
      this.destroy(new Error('EIO: i/o error, read'));
    },
  });
  const { code, stderr } = await vault.run(['add', '-', '--name', 'broken'], { stdin });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^coffer: error: .*EIO/) as string]);
});

test('2: usage', async () => {
  expect(await failing(['ls', '--nope'])).toMatchObject({ code: 2, error: 'USAGE' });
});

test('4: input needed', async () => {
  const { code, stderr } = await runMain(['init', '--vault', vault.path('new'), '--no-input']);
  expect([code, existsSync(vault.path('new'))]).toEqual([4, false]);
  expect(stderr).toContain('--no-input');
});

test('10: no vault here, said before a passphrase is asked for', async () => {
  expect(await failing(['ls', '--vault', vault.path('nowhere')])).toMatchObject({
    code: 10,
    error: 'NO_VAULT',
  });
  mkdirSync(vault.path('empty'));
  expect(await failing(['status', '--vault', vault.path('empty')])).toMatchObject({ code: 10 });
  const { code } = await runMain(['ls', '--vault', vault.path('nowhere')]);
  expect(code).toBe(10);
});

test('12: wrong key', async () => {
  expect(
    (await runMain(['init', '--vault', vault.path('other'), '--keyfile', vault.path('key2')])).code,
  ).toBe(0);
  expect(await failing(['ls', '--keyfile', vault.path('key2')])).toMatchObject({
    code: 12,
    error: 'WRONG_KEY',
  });
});

test('13: made by a newer version', async () => {
  const newer = readFileSync(vault.path('key'), 'utf8').replace('coffer-keyfile-v1', 'coffer-keyfile-v2');
  writeFileSync(vault.path('newer-key'), newer, { mode: 0o600 });
  expect(await failing(['ls', '--keyfile', vault.path('newer-key')])).toMatchObject({
    code: 13,
    error: 'TOO_NEW',
  });
});

test('14: reading what is damaged; 30: check finds it, and names it', async () => {
  using damaged = await TestVault.create();
  await damaged.put('docs/large.bin', Buffer.alloc(300_000, 7));
  const [name = ''] = damaged.sealedNames();
  const path = damaged.path('vault', 'files', name);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1000] = (bytes[bytes.length - 1000] ?? 0) ^ 1;
  writeFileSync(path, bytes);

  const read = await damaged.run(['cat', 'docs/large.bin', '--json']);
  expect(read.code).toBe(14);
  const got = await damaged.run(['get', 'docs/large.bin', '-o', damaged.path('out.bin')]);
  expect([got.code, existsSync(damaged.path('out.bin'))]).toEqual([14, false]);

  const check = await damaged.run(['check', '--json']);
  expect(check.code).toBe(30);
  const findings = parseLines(check.stdout);
  expect(findings[0]).toMatchObject({
    v: 1,
    type: 'finding',
    subject: 'file',
    path: 'docs/large.bin',
    message: expect.any(String) as string,
    remedy: expect.any(String) as string,
  });
  expect(findings.at(-1)).toMatchObject({ type: 'summary', command: 'check', findings: findings.length - 1 });
  const human = await damaged.run(['check']);
  expect(human.stdout).toContain('docs/large.bin: ');
  expect(human.stderr).toMatch(/finding/);
});

test('15: not found', async () => {
  expect(await failing(['info', 'nothing.txt'])).toMatchObject({ code: 15, error: 'NOT_FOUND' });
  expect((await vault.run(['get', 'none-1', 'none-2'])).code).toBe(15);
  expect(
    await failing(['ls'], { COFFER_KEYFILE: '', COFFER_PASSPHRASE_FILE: vault.path('none') }),
  ).toMatchObject({ code: 15 });
});

test('16: exists already', async () => {
  expect(await failing(['init'])).toMatchObject({ code: 16, error: 'EXISTS' });
  expect(await failing(['add', '-', '--name', 'small.txt'])).toMatchObject({ code: 16, error: 'EXISTS' });
  mkdirSync(vault.path('full'));
  writeFileSync(vault.path('full', 'mine'), '');
  expect(await failing(['init', '--vault', vault.path('full')])).toMatchObject({ code: 16 });
  expect(readdirSync(vault.path('full'))).toEqual(['mine']);
});

test.skipIf(!existsSync('/sys/kernel'))(
  '17: not permitted (needs /sys, where nobody can make files)',
  async () => {
    expect(await failing(['get', 'small.txt', '-o', '/sys/kernel'])).toMatchObject({
      code: 17,
      error: 'NOT_PERMITTED',
    });
  },
);

test('3: some of several, when they do not all fail alike', async () => {
  const { code, stdout } = await vault.run(['get', 'small.txt', 'none.txt', '-o', `${vault.path('some')}/`]);
  expect([code, stdout]).toEqual([3, `${vault.path('some', 'small.txt')}\n`]);
});

test('paths and status', async () => {
  expect(await vault.json(['paths'])).toEqual([
    {
      v: 1,
      type: 'paths',
      directory: vault.path('vault'),
      database: vault.path('vault', 'data.db'),
      files: vault.path('vault', 'files'),
      quarantine: vault.path('vault', 'quarantine'),
      keptDatabase: vault.path('vault', 'data.db.damaged'),
      vaultFile: vault.path('vault', 'vault.json'),
      vaultFileCopy: vault.path('vault', 'vault.json.bak'),
      ownerLock: vault.path('vault', 'owner.lock'),
    },
  ]);
  expect((await runMain(['paths'], { env: { XDG_DATA_HOME: '/data' } })).stdout).toMatch(
    /^vault +\/data\/coffer$/m,
  );
  expect(await vault.json(['status'])).toMatchObject([
    {
      v: 1,
      type: 'status',
      directory: vault.path('vault'),
      files: 2,
      blobFiles: 1,
      sealedFiles: 1,
      sizeBytes: 300_005,
    },
  ]);
  expect((await vault.run(['status'])).stdout).toMatch(/^holds +2 files, 300 kB$/m);
});
