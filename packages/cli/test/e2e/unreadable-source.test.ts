import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COFFER, type Ended, ended, startCoffer } from '../support/coffer.ts';
import { parseLines } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

// Root reads everything, unless it gives that up.
const HELD_BACK = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
const asUser = process.getuid?.() === 0 ? HELD_BACK : [];
const canTest = process.platform !== 'win32' && spawnSync('setpriv', ['--version']).status === 0;

const needs = canTest ? '' : ' (needs setpriv)';

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  mkdirSync(vault.path('source', 'closed'), { recursive: true });
  writeFileSync(vault.path('source', 'open.txt'), 'open');
  writeFileSync(vault.path('source', 'secret.txt'), 'secret');
  chmodSync(vault.path('source', 'secret.txt'), 0o000);
  chmodSync(vault.path('source', 'closed'), 0o000);
});
afterAll(() => {
  chmodSync(vault.path('source', 'closed'), 0o700);
  vault[Symbol.dispose]();
});

const run = async (args: readonly string[]): Promise<Ended> =>
  await ended(
    startCoffer(args, {
      command: [...asUser, ...COFFER],
      cwd: vault.path('source'),
      env: { COFFER_VAULT: vault.path('vault'), COFFER_KEYFILE: vault.path('key') },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );

test.runIf(canTest)(
  `a source that cannot be read is said to be unreadable, with the reason${needs}`,
  async () => {
    const file = await run(['add', 'secret.txt']);
    expect([file.code, file.stdout]).toEqual([17, '']);
    expect(file.stderr).toMatch(/^coffer: error: cannot read .*source\/secret\.txt: that is not permitted$/m);
    const folder = await run(['add', '-r', 'closed']);
    expect(folder).toMatchObject({
      code: 17,
      stderr: 'coffer: error: cannot read folder closed: it is not permitted\n',
    });
  },
);

test.runIf(canTest)(
  `of several sources those that can be read are added, and a dry run says the same beforehand${needs}`,
  async () => {
    const planned = await run(['add', '-rn', '.', '--json']);
    const added = await run(['add', '-r', '.', '--json']);
    for (const { code, stdout, stderr } of [planned, added]) {
      expect(code).toBe(3);
      expect(parseLines(stdout)).toMatchObject([
        { type: 'file', path: 'open.txt' },
        { type: 'summary', failed: 2 },
      ]);
      expect(parseLines(stderr)).toMatchObject([
        { code: 'NOT_PERMITTED', message: expect.stringContaining('cannot read') as string, item: 'closed' },
        {
          code: 'NOT_PERMITTED',
          message: expect.stringContaining('cannot read') as string,
          item: 'secret.txt',
        },
      ]);
    }
  },
);
