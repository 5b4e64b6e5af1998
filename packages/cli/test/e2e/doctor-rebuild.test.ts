import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestVault, hasAgent } from '../support/test-vault.ts';

const PAGE_SIZE_BYTES = 4096;

let vault: TestVault;
beforeEach(async () => {
  vault = await TestVault.create();
  await vault.put('notes.txt', 'notes');
  await vault.put('docs/large', Buffer.alloc(300_000, 'x'));
  // Rebuilding is for a vault that nobody has open.
  if (hasAgent) await vault.run(['lock']);
});
afterEach(() => {
  vault[Symbol.dispose]();
});

function damage(...pages: readonly number[]): void {
  const path = vault.path('vault', 'data.db');
  const bytes = readFileSync(path);
  for (const page of pages) bytes.fill(0, (page - 1) * PAGE_SIZE_BYTES, page * PAGE_SIZE_BYTES);
  writeFileSync(path, bytes);
}

test('a vault that does not open for its database says what to do, and that does it', async () => {
  damage(1);
  const refused = await vault.run(['ls']);
  expect([refused.code, refused.stderr]).toEqual([
    14,
    expect.stringContaining('coffer doctor --rebuild') as string,
  ]);
  const { code, stdout, stderr } = await vault.run(['doctor', '--rebuild']);
  expect(code).toBe(30);
  expect(stdout).toMatch(/^DATABASE_KEPT {2}/);
  expect(stderr).toMatch(
    /^Rebuilt the database, 1 damaged page of \d+: 2 files\. What was there is kept as .*data\.db\.damaged\.$/m,
  );
  const { bytes } = await vault.run(['cat', 'docs/large']);
  expect(bytes.equals(Buffer.alloc(300_000, 'x'))).toBe(true);
  const again = await vault.run(['doctor', '--rebuild']);
  expect(again.stderr).toContain('Nothing is wrong with the database: it was not rebuilt.');
});

test('the doctor asks for a secret only where one would let it look inside', async () => {
  const without = await vault.run(['doctor'], { env: { COFFER_KEYFILE: '' } });
  expect(without.stderr).toContain('give its secret to look inside as well');
  damage(1);
  const closed = await vault.run(['doctor']);
  expect(closed.stderr).toContain('The vault was not opened: what keeps it closed is said above.');
  expect(closed.stdout).toMatch(/^DATABASE_UNREADABLE {2}/);
});

test('with --json it names what was rebuilt, and each file that could not be kept as it was', async () => {
  const [file] = await vault.json(['info', 'notes.txt']);
  const path = vault.path('vault', 'data.db');
  const whole = readFileSync(path);
  const lost: unknown[] = [];
  for (let page = 1; page * PAGE_SIZE_BYTES <= whole.length; page += 1) {
    writeFileSync(path, whole);
    damage(page);
    const records = await vault.json(['doctor', '--rebuild']);
    expect(records.find(({ type }) => type === 'rebuilt')).toMatchObject({
      rebuilt: true,
      files: 2,
      damagedPages: [page],
      keptPath: `${path}.damaged`,
    });
    lost.push(...records.filter(({ type }) => type === 'file'));
    rmSync(`${path}.damaged`);
  }
  // The page with its bytes, and no other, costs a file its content.
  expect(lost).toMatchObject([{ action: 'content lost', id: file?.['id'], path: 'notes.txt' }]);
});

test('a vault that an agent has open is not rebuilt', async () => {
  await vault.unlock();
  const { code, stderr } = await vault.run(['doctor', '--rebuild']);
  expect([code, stderr]).toEqual([11, expect.stringContaining('coffer lock') as string]);
});

test('-n is refused with it: there is no such way', async () => {
  const { code, stderr } = await vault.run(['doctor', '--rebuild', '-n', '--fix']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--rebuild') as string]);
});
