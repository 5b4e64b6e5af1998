import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseLines } from '../support/run-main.ts';
import { TestVault, hasAgent } from '../support/test-vault.ts';

const PAGE_SIZE_BYTES = 4096;
const NAMES = Array.from(
  { length: 60 },
  (_, number) => `a file with a name of some length ${String(number)}`,
);

/** A vault, with a backup of it, of whose list of files one page can't be read any more. */
async function withLostRows(): Promise<TestVault> {
  const vault = await TestVault.create();
  onTestFinished(() => {
    vault[Symbol.dispose]();
  });
  mkdirSync(vault.path('source'));
  for (const name of NAMES) writeFileSync(vault.path('source', name), name);
  for (const command of [
    ['import', vault.path('source'), '--into', 'docs'],
    ['backup', vault.path('backup')],
  ])
    expect((await vault.run(command)).code).toBe(0);
  if (hasAgent) await vault.run(['lock']);
  const path = join(vault.path('vault'), 'data.db');
  const whole = readFileSync(path);
  for (let at = PAGE_SIZE_BYTES + 1500; at < whole.length; at += PAGE_SIZE_BYTES) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(path, bytes);
    const { code, stdout } = await vault.run(['ls', '-r']);
    if (code !== 3 || stdout.split('\n').length < 10) continue;
    if (hasAgent) await vault.unlock();
    return vault;
  }
  throw new Error('no page has some of the files');
}

test('where a page of the list of files is damaged, ls and find list the others, name what is lost, and exit 3', async () => {
  const vault = await withLostRows();
  const { code, stdout, stderr } = await vault.run(['ls', '-r']);
  expect(code).toBe(3);
  const listed = stdout.trimEnd().split('\n');
  const named =
    stderr.match(/docs\/a file with a name of some length \d+(?= cannot be read: its page)/g) ?? [];
  expect(named.length).toBeGreaterThan(1);
  expect([...listed, ...named].toSorted()).toEqual(NAMES.map((name) => `docs/${name}`).toSorted());
  // In the folder itself, and with --json.
  expect((await vault.run(['ls', 'docs'])).stdout.trimEnd().split('\n')).toHaveLength(listed.length);
  const json = await vault.run(['ls', '-r', '--json']);
  expect(json.code).toBe(3);
  expect(parseLines(json.stdout).at(-1)).toMatchObject({
    type: 'summary',
    files: listed.length,
    failed: named.length,
  });
  expect(parseLines(json.stderr)[0]).toMatchObject({ type: 'error', code: 'DAMAGED', item: named[0] });
  const found = await vault.run(['find', 'SOME length']);
  expect(found.code).toBe(3);
  expect(found.stdout.trimEnd().split('\n')).toEqual(listed);
  // Where nothing is lost nothing is said.
  expect(await vault.run(['ls'])).toMatchObject({ code: 0, stdout: 'docs/\n', stderr: '' });
});

test('a backup of it exits 14, says what is damaged and what to do, and leaves the one before', async () => {
  const vault = await withLostRows();
  const before = readFileSync(vault.path('backup', 'data.db'));
  for (const more of [[], ['--dry-run']]) {
    const { code, stderr } = await vault.run(['backup', vault.path('backup'), ...more]);
    expect(code, stderr).toBe(14);
    expect(stderr).toMatch(
      /error: no backup was made: pages of .*data\.db cannot be read, and with them \d+ files; /,
    );
    expect(stderr).toContain(`the earlier backup in ${vault.path('backup')}, of `);
    expect(stderr).toMatch(/hint: `coffer export` gives .* `coffer doctor --rebuild` .* `coffer restore`/);
  }
  expect(readFileSync(vault.path('backup', 'data.db'))).toEqual(before);
});
