import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTerminal, parseLines, runMain } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  writeFileSync(vault.path('pass'), 'correct horse battery\n');
  writeFileSync(vault.path('next'), 'staple of another kind');
  writeFileSync(vault.path('wrong'), 'not this one, sorry');
});
afterAll(() => {
  vault[Symbol.dispose]();
});

const slots = async (): Promise<Record<string, unknown>[]> => await vault.json(['key', 'ls']);
/** Opens the vault with a passphrase file and nothing else. */
const openWith = async (file: string, args: readonly string[] = ['ls']) =>
  await runMain([...args, '--passphrase-file', vault.path(file)], {
    env: { COFFER_VAULT: vault.path('vault') },
  });

test('init made a key file that only its owner reads, and one slot', async () => {
  expect(statSync(vault.path('key')).mode & 0o777).toBe(0o600);
  expect(await slots()).toEqual([
    {
      v: 1,
      type: 'slot',
      id: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
      kind: 'keyfile',
      createdAtMs: expect.any(Number) as number,
    },
  ]);
});

test('key ls needs no secret', async () => {
  const { code, stdout } = await runMain(['key', 'ls', '--vault', vault.path('vault')]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^[0-9a-f]{8} {2}keyfile {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/);
});

test('the last slot can not go, and nobody is asked about it', async () => {
  const [slot] = await slots();
  const { code, stderr } = await vault.run(['key', 'rm', String(slot?.['id'])]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('only key slot') as string]);
});

test('a passphrase is added, opens the vault, is changed and removed', async () => {
  const added = await vault.run([
    'key',
    'add',
    '--new-passphrase-file',
    vault.path('pass'),
    '--label',
    'desk',
  ]);
  expect([added.code, added.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f]{8}\n$/) as string]);
  expect((await slots())[1]).toMatchObject({ kind: 'passphrase', label: 'desk' });

  expect((await openWith('pass')).code).toBe(0);
  const env = { COFFER_VAULT: vault.path('vault'), COFFER_PASSPHRASE_FILE: vault.path('pass') };
  expect((await runMain(['ls'], { env })).code).toBe(0);
  const wrong = await openWith('wrong');
  expect([wrong.code, wrong.stdout]).toEqual([12, '']);
  expect(wrong.stderr.match(/coffer: error:/g)).toHaveLength(1);

  const changed = await openWith('pass', [
    'key',
    'passwd',
    '--new-passphrase-file',
    vault.path('next'),
    '--json',
  ]);
  expect(changed.code).toBe(0);
  const [slot] = parseLines(changed.stdout);
  expect(slot).toMatchObject({ type: 'slot', kind: 'passphrase', label: 'desk' });
  expect((await openWith('pass')).code).toBe(12);
  expect((await openWith('next')).code).toBe(0);

  const id = String(slot?.['id']);
  const asked = await vault.run(['key', 'rm', id]);
  expect([asked.code, asked.stderr]).toEqual([4, expect.stringContaining('-y') as string]);
  const terminal = createTerminal(['n']);
  expect((await vault.run(['key', 'rm', id], { openTerminal: () => terminal })).code).toBe(5);
  expect(terminal.shown()).toContain('desk');
  expect((await vault.run(['key', 'rm', id, '-y'])).code).toBe(0);
  expect(await slots()).toHaveLength(1);
});

test('a second key file is made, and one that is there is used as it is', async () => {
  const made = await vault.run(['key', 'add', '--new-keyfile', vault.path('key2')]);
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('Made the key file') as string]);
  const content = readFileSync(vault.path('key2'));
  const other = await runMain(['init', '--vault', vault.path('vault2'), '--keyfile', vault.path('key2')]);
  expect(other.code).toBe(0);
  expect(readFileSync(vault.path('key2'))).toEqual(content);
  const env = { COFFER_VAULT: vault.path('vault'), COFFER_KEYFILE: vault.path('key2') };
  expect((await runMain(['ls'], { env })).code).toBe(0);
});

test('a secret that opens the vault already gets no second slot, and the slot that it has is named', async () => {
  const spare = vault.path('spare');
  writeFileSync(spare, 'a spare passphrase, long enough');
  const added = await vault.run(['key', 'add', '--new-passphrase-file', spare, '--label', 'spare']);
  const id = added.stdout.trim();
  const before = await slots();
  const twice = await vault.run(['key', 'add', '--new-passphrase-file', spare]);
  expect([twice.code, twice.stdout]).toEqual([16, '']);
  expect(twice.stderr).toContain(`opens the vault already: the passphrase “spare” (slot ${id})`);
  const keyfile = await vault.run(['key', 'add', '--new-keyfile', vault.path('key'), '--json']);
  expect(parseLines(keyfile.stderr)).toMatchObject([{ type: 'error', code: 'EXISTS', exitCode: 16 }]);
  expect(existsSync(vault.path('key'))).toBe(true);
  const same = await openWith('spare', ['key', 'passwd', '--new-passphrase-file', spare]);
  expect([same.code, same.stderr]).toEqual([16, expect.stringContaining(`slot ${id}`) as string]);
  expect(await slots()).toEqual(before);
  expect((await vault.run(['key', 'rm', id, '-y'])).code).toBe(0);
  expect((await openWith('spare')).code).toBe(12);
});

test('where a new passphrase has many slots to be tried on, that is said', async () => {
  const add = async (name: string) => {
    writeFileSync(vault.path(name), `the passphrase of ${name}`);
    return await vault.run(['key', 'add', '--new-passphrase-file', vault.path(name)]);
  };
  const added = [await add('many-1'), await add('many-2'), await add('many-3'), await add('many-4')];
  expect(added.map(({ stderr }) => stderr)).toEqual(['', '', '', '']);
  const last = await add('many-5');
  expect(last).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('on the 4 that there are') as string,
  });
  for (const { stdout } of [...added, last]) await vault.run(['key', 'rm', stdout.trim(), '-y']);
});

test('a key file has no passphrase to change', async () => {
  const { code, stderr } = await vault.run(['key', 'passwd', '--new-passphrase-file', vault.path('next')]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('key file') as string]);
});

test('where no older copy was put back there is nothing to accept', async () => {
  expect((await vault.run(['key', 'accept-rollback'])).code).toBe(2);
});

test('a slot that is not there exits 15', async () => {
  expect((await vault.run(['key', 'rm', 'ffffffff', '-y'])).code).toBe(15);
});

test('a vault without a passphrase does not ask for one', async () => {
  const terminal = createTerminal([]);
  const { code, stderr } = await runMain(['ls', '--vault', vault.path('vault2')], {
    openTerminal: () => terminal,
  });
  expect([code, terminal.shown()]).toEqual([4, '']);
  expect(stderr).toContain('--keyfile');
});

test('a short passphrase is accepted with a warning, an empty one refused', async () => {
  writeFileSync(vault.path('short'), 'short');
  writeFileSync(vault.path('empty'), '\n');
  const short = await runMain([
    'init',
    '--vault',
    vault.path('vault3'),
    '--passphrase-file',
    vault.path('short'),
  ]);
  expect(short.code).toBe(0);
  expect(short.stderr).toMatch(/^coffer: warning: .*12 characters/m);
  const empty = await runMain([
    'init',
    '--vault',
    vault.path('vault4'),
    '--passphrase-file',
    vault.path('empty'),
  ]);
  expect(empty.code).toBe(2);
});

test('init --json gives the slot and a summary', async () => {
  const args = ['init', '--json', '--vault', vault.path('vault5'), '--keyfile', vault.path('key5')];
  const { stdout, stderr } = await runMain(args);
  expect(stderr).toBe('');
  expect(parseLines(stdout)).toEqual([
    expect.objectContaining({ v: 1, type: 'slot', kind: 'keyfile' }),
    {
      v: 1,
      type: 'summary',
      command: 'init',
      directory: vault.path('vault5'),
      vaultId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    },
  ]);
});

test('a key file that was made for a slot that is refused goes again, one for a slot that is there stays', async () => {
  const path = vault.path('made-for-slot');
  const refused = await vault.run(['key', 'add', '--new-keyfile', path, '--label', '\u202e']);
  expect(refused.code).toBe(2);
  expect(existsSync(path)).toBe(false);
  expect((await vault.run(['key', 'add', '--new-keyfile', path, '--label', 'spare'])).code).toBe(0);
  expect(existsSync(path)).toBe(true);
  // One that was there before is never removed, whatever becomes of the slot.
  expect((await vault.run(['key', 'add', '--new-keyfile', path, '--label', '\u202e'])).code).toBe(2);
  expect(existsSync(path)).toBe(true);
});
