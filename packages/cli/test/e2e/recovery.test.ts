import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createTerminal, parseLines, runMain, type MainOptions } from '../support/run-main.ts';
import { hasAgent } from '../support/test-vault.ts';

const CODE = /(?:[0-9A-Z]{5} ){3}[0-9A-Z]{5}/g;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-recovery-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);
/** Runs with this vault and nothing else. */
const run = async (vault: string, args: readonly string[], options: MainOptions = {}) =>
  await runMain([...args, '--vault', path(vault)], options);
/** Runs with the key file `key`. */
const withKey = async (vault: string, args: readonly string[], options: MainOptions = {}) =>
  await run(vault, [...args, '--keyfile', path('key')], options);
/** From here on an agent has the vault open, when the tests are run with agents. */
async function keepOpen(vault: string): Promise<void> {
  if (!hasAgent) return;
  onTestFinished(async () => {
    await run(vault, ['lock']);
  });
  expect((await withKey(vault, ['unlock', '--for', '20min'])).code).toBe(0);
}
const shownCode = (shown: string): string => (shown.match(CODE) ?? []).slice(-2).join(' ');
const kinds = async (vault: string): Promise<unknown[]> =>
  parseLines((await run(vault, ['key', 'ls', '--json'])).stdout).map(({ kind }) => kind);

test('who is asked for a passphrase is shown a recovery code, types it back, and can open the vault with it', async () => {
  let code = '';
  const terminal = createTerminal([
    'correct horse battery\r',
    'correct horse battery\r',
    '\r',
    // Wrong in one character, then nothing, to see it again.
    (shown) => {
      code = shownCode(shown);
      return `${code.slice(0, -1)}${code.endsWith('0') ? '2' : '0'}\r\u0015\r`;
    },
    '\r',
    () => `${code.toLowerCase().replaceAll(' ', '-')}\r`,
  ]);
  const { code: exit, stdout, stderr } = await run('asked', ['init'], { openTerminal: () => terminal });
  expect([exit, stdout]).toEqual([0, '']);
  expect(terminal.shown()).toContain('group 8 of the recovery code has a mistake');
  // On a screen of its own, which is left again, and nowhere else.
  expect(terminal.shown()).toMatch(/\[\?1049h[^]*\[\?1049l/);
  expect(stderr).not.toMatch(CODE);
  expect(await kinds('asked')).toEqual(['passphrase', 'recovery']);

  const typed = createTerminal([`${code}\r`]);
  expect((await run('asked', ['ls'], { openTerminal: () => typed })).code).toBe(0);
  expect(typed.shown()).toContain('or its recovery code');
});

test('Ctrl-C while the code is typed back makes no vault, and leaves the screen', async () => {
  const terminal = createTerminal(['\r', '\u0003']);
  const { code } = await withKey('stopped', ['init', '--recovery'], { openTerminal: () => terminal });
  expect(code).toBe(130);
  expect(terminal.shown().endsWith('\u001B[?1049l')).toBe(true);
  expect(existsSync(path('stopped'))).toBe(false);
});

test('a code goes to a new file for its owner alone, which opens the vault', async () => {
  const { code, stderr } = await withKey('file', ['init', '--recovery-code-file', path('code')]);
  expect(code).toBe(0);
  expect(stderr).toContain('Wrote a recovery code');
  expect(statSync(path('code')).mode & 0o777).toBe(0o600);
  const [, text = ''] = readFileSync(path('code'), 'utf8').split('\n\n');
  expect(text).toMatch(/^([0-9A-Z]{5}-){7}[0-9A-Z]{5}\n$/);
  expect(stderr).not.toContain(text.trim());
  await keepOpen('file');
  expect((await run('file', ['ls', '--recovery-code-file', path('code')])).code).toBe(0);

  writeFileSync(
    path('mistyped'),
    text.replace(/^./, (first) => (first === '2' ? '3' : '2')),
  );
  const mistyped = await run('file', ['ls', '--recovery-code-file', path('mistyped')]);
  expect([mistyped.code, mistyped.stderr]).toEqual([2, expect.stringContaining('group 1') as string]);
  const other = await run('file', ['ls', '--recovery-code-file', path('key')]);
  expect(other.code).toBe(2);
});

test('the file is never one that is there, nor in the vault; then no vault is made', async () => {
  writeFileSync(path('mine'), 'mine');
  const there = await withKey('none', ['init', '--recovery-code-file', path('mine')]);
  expect([there.code, readFileSync(path('mine'), 'utf8')]).toEqual([16, 'mine']);
  const inside = await withKey('none', ['init', '--recovery-code-file', join(path('none'), 'code')]);
  expect(inside.code).toBe(2);
  expect(existsSync(path('none'))).toBe(false);
});

test('a vault that could not be made leaves no code behind', async () => {
  writeFileSync(path('occupied'), 'a file where the vault should be');
  const { code } = await withKey('occupied', ['init', '--recovery-code-file', path('unused')]);
  expect(code).not.toBe(0);
  expect(existsSync(path('unused'))).toBe(false);
});

test('whoever gives a secret by an option is not asked, and hears how to make a code', async () => {
  const { code, stderr } = await withKey('plain', ['init']);
  expect([code, stderr]).toEqual([0, expect.stringContaining('coffer key recovery') as string]);
  expect(await kinds('plain')).toEqual(['keyfile']);
});

test('a code that nobody can be shown exits 4, and 2 with --json', async () => {
  expect((await withKey('nobody', ['init', '--recovery'])).code).toBe(4);
  expect((await run('nobody', ['init', '--keychain'])).code).toBe(4);
  const json = await withKey('nobody', ['init', '--recovery', '--json']);
  expect([json.code, json.stdout]).toEqual([2, '']);
  expect(json.stderr).toContain('--recovery-code-file');
  expect((await run('nobody', ['init', '--json'])).code).toBe(2);
  expect(existsSync(path('nobody'))).toBe(false);
});

test('options that contradict each other are refused', async () => {
  const bad = [
    ['--no-recovery', '--recovery-code-file', path('x')],
    ['--keychain', '--no-recovery'],
    ['--keychain', '--passphrase-file', path('x')],
  ];
  for (const options of bad) expect((await run('contrary', ['init', ...options])).code).toBe(2);
  expect(existsSync(path('contrary'))).toBe(false);
});

test('key recovery puts a new code in the place of the old one, once the new one is proven', async () => {
  await withKey('again', ['init', '--recovery-code-file', path('old')]);
  await keepOpen('again');
  const stopped = createTerminal(['\r', '\u0003']);
  const interrupted = await withKey('again', ['key', 'recovery'], { openTerminal: () => stopped });
  expect(interrupted.code).toBe(130);
  expect((await run('again', ['ls', '--recovery-code-file', path('old')])).code).toBe(0);
  expect((await withKey('again', ['key', 'recovery', '--json'])).code).toBe(2);

  const { code, stdout } = await withKey('again', [
    'key',
    'recovery',
    '--new-recovery-code-file',
    path('new'),
    '--json',
  ]);
  expect(code).toBe(0);
  expect(parseLines(stdout)).toEqual([expect.objectContaining({ type: 'slot', kind: 'recovery' })]);
  expect(stdout).not.toMatch(/([0-9A-Z]{5}-){7}/);
  expect(await kinds('again')).toEqual(['keyfile', 'recovery']);
  const old = await run('again', ['ls', '--recovery-code-file', path('old')]);
  expect([old.code, old.stderr]).toEqual([12, expect.stringContaining('key file') as string]);
  expect((await run('again', ['ls', '--recovery-code-file', path('new')])).code).toBe(0);
  // The old code can make its successor.
  const args = [
    'key',
    'recovery',
    '--recovery-code-file',
    path('new'),
    '--new-recovery-code-file',
    path('newer'),
  ];
  expect((await run('again', args)).code).toBe(0);
});

test('a vault that only a recovery code opens asks for that, and says so where nobody can be asked', async () => {
  await withKey('only', ['init', '--recovery-code-file', path('only-code')]);
  const [slot] = parseLines((await run('only', ['key', 'ls', '--json'])).stdout);
  expect((await withKey('only', ['key', 'rm', String(slot?.['id']), '-y'])).code).toBe(0);
  const nobody = await run('only', ['ls']);
  expect([nobody.code, nobody.stderr]).toEqual([
    4,
    expect.stringContaining('--recovery-code-file') as string,
  ]);
  expect(nobody.stderr).not.toContain('key file');
  const [, code = ''] = readFileSync(path('only-code'), 'utf8').split('\n\n');
  const terminal = createTerminal([`${code.trim()}\r`]);
  expect((await run('only', ['ls'], { openTerminal: () => terminal })).code).toBe(0);
  expect(terminal.shown()).toContain('Recovery code of');
});
