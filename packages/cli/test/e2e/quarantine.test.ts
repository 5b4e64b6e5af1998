import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTerminal, parseLines } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

const CONTENT = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(150_000, 'x')]);

let vault: TestVault;
let id: string;
/** A vault whose newest sealed file is in quarantine. */
beforeEach(async () => {
  vault = await TestVault.create();
  await vault.put('kept.txt', 'kept');
  await vault.put('docs/report', CONTENT);
  const [file] = await vault.json(['info', 'docs/report']);
  id = String(file?.['id']);
  const quarantine = vault.path('vault', 'quarantine');
  const sealed = vault.path('vault', 'files', `${id}.enc`);
  copyFileSync(sealed, vault.path('copy'));
  await vault.run(['rm', 'docs/report']);
  if (!existsSync(quarantine)) mkdirSync(quarantine, { mode: 0o700 });
  renameSync(vault.path('copy'), vault.path('vault', 'quarantine', `${id}.enc`));
});
afterEach(() => {
  vault[Symbol.dispose]();
});

test('ls shows what is there', async () => {
  const { code, stdout } = await vault.run(['quarantine', 'ls']);
  expect([code, stdout.split(/\s+/).slice(0, 2)]).toEqual([0, [`${id}.enc`, String(CONTENT.length)]]);
  expect(await vault.json(['quarantine', 'ls'])).toMatchObject([
    { type: 'quarantined', name: `${id}.enc`, id, opens: true, contentSizeBytes: CONTENT.length },
  ]);
});

test('adopt makes it a file again, by the beginning of its id', async () => {
  const { code, stdout, stderr } = await vault.run([
    'quarantine',
    'adopt',
    id.slice(0, 6),
    '--folder',
    'found',
  ]);
  expect([code, stdout]).toEqual([0, `found/recovered-${id.slice(0, 8)}.pdf\n`]);
  expect(stderr).toBe('Adopted 1 file.\n');
  const { bytes } = await vault.run(['cat', stdout.trim()]);
  expect(bytes.equals(CONTENT)).toBe(true);
  expect((await vault.run(['quarantine', 'ls'])).stderr).toBe('Nothing is in quarantine.\n');
  expect((await vault.run(['check'])).code).toBe(0);
});

test('adopt with a name that is taken is refused, and nothing is moved', async () => {
  const { code } = await vault.run(['quarantine', 'adopt', id, '--name', 'kept.txt']);
  expect([code, readdirSync(vault.path('vault', 'quarantine'))]).toEqual([16, [`${id}.enc`]]);
  const named = await vault.json(['quarantine', 'adopt', id, '--name', 'report.pdf']);
  expect(named).toMatchObject([
    { type: 'file', path: 'report.pdf', quarantined: `${id}.enc` },
    { type: 'summary', command: 'quarantine adopt', adopted: 1, failed: 0 },
  ]);
});

test('drop asks first: no is exit 5, nobody to ask is exit 4, -y destroys', async () => {
  const no = await vault.run(['quarantine', 'drop', id], { openTerminal: () => createTerminal(['n']) });
  expect([no.code, no.stderr]).toEqual([5, 'coffer: error: nothing was destroyed\n']);
  expect((await vault.run(['quarantine', 'drop', id])).code).toBe(4);
  expect((await vault.run(['quarantine', 'drop', '-y', id])).stdout).toBe(`${id}.enc\n`);
  expect(readdirSync(vault.path('vault', 'quarantine'))).toEqual([]);
});

test('what is not there is exit 15', async () => {
  for (const command of ['adopt', 'drop']) {
    const { code, stderr } = await vault.run(['quarantine', command, 'ffff', '-y', '--json']);
    expect([code, parseLines(stderr)[0]?.['code']]).toEqual([15, 'NOT_FOUND']);
  }
});
