import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPassphrase, type ReadableSource } from '../src/input/read-passphrase.ts';
import { chooseNewSecretSource, chooseSecretSource } from '../src/input/secret-source.ts';
import { runCoffer, startCoffer } from './support/coffer.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coffer-secret-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const read = async (source: ReadableSource, stdin = ''): Promise<string> => {
  const host = { stdin: Readable.from([Buffer.from(stdin)]), signal: new AbortController().signal };
  return Buffer.from(await readPassphrase(source, host)).toString('utf8');
};

test('an option comes before the environment, the environment before a question', () => {
  const env = { COFFER_PASSPHRASE_FILE: '/run/pass' };
  expect(chooseSecretSource({ keyfile: 'k' }, env)).toEqual({ kind: 'keyfile', path: 'k' });
  expect(chooseSecretSource({}, env)).toEqual({ kind: 'passphrase-file', path: '/run/pass' });
  expect(chooseSecretSource({}, { COFFER_KEYFILE: '/k' })).toEqual({ kind: 'keyfile', path: '/k' });
  expect(chooseSecretSource({}, { COFFER_KEYFILE: '' })).toEqual({ kind: 'ask' });
});

test('the environment holds the current secret, never a new one', () => {
  expect(chooseNewSecretSource({})).toEqual({ kind: 'ask' });
  expect(chooseNewSecretSource({ passphraseFd: 3 })).toEqual({ kind: 'passphrase-fd', fd: 3 });
});

test('two sources at once are refused by name', () => {
  expect(() => chooseSecretSource({ keyfile: 'k', passphraseFd: 3 }, {})).toThrow(
    "--passphrase-fd and --keyfile can't be used together",
  );
  expect(() => chooseSecretSource({}, { COFFER_KEYFILE: 'k', COFFER_PASSPHRASE_FILE: 'p' })).toThrow(
    "COFFER_PASSPHRASE_FILE and COFFER_KEYFILE can't be used together",
  );
});

test('a file, stdin and a command give a passphrase as it is', async () => {
  const path = join(folder, 'pass');
  writeFileSync(path, 'grüße\n');
  expect(await read({ kind: 'passphrase-file', path })).toBe('grüße\n');
  expect(await read({ kind: 'passphrase-fd', fd: 0 }, 'from stdin')).toBe('from stdin');
  expect(await read({ kind: 'passphrase-command', command: 'printf "%s %s" from command' })).toBe(
    'from command',
  );
});

test('a source that gives nothing has its own error', async () => {
  await expect(read({ kind: 'passphrase-file', path: join(folder, 'none') })).rejects.toMatchObject({
    exit: 'notFound',
  });
  await expect(read({ kind: 'passphrase-file', path: folder })).rejects.toMatchObject({ exit: 'usage' });
  await expect(read({ kind: 'passphrase-fd', fd: 987 })).rejects.toMatchObject({ exit: 'usage' });
  await expect(read({ kind: 'passphrase-command', command: 'echo half; exit 7' })).rejects.toMatchObject({
    exit: 'inputNeeded',
    message: 'the passphrase command failed (7)',
  });
});

test('no more than 64 KiB is read', async () => {
  await expect(read({ kind: 'passphrase-fd', fd: 0 }, 'x'.repeat(65_537))).rejects.toMatchObject({
    exit: 'usage',
  });
  await expect(read({ kind: 'passphrase-command', command: 'yes 2>/dev/null' })).rejects.toMatchObject({
    exit: 'usage',
  });
});

test('a cancelled command gives the reason it was cancelled for', async () => {
  const controller = new AbortController();
  const host = { stdin: Readable.from([]), signal: controller.signal };
  const reading = readPassphrase({ kind: 'passphrase-command', command: 'exec sleep 60' }, host);
  controller.abort(new Error('enough'));
  await expect(reading).rejects.toThrow('enough');
});

test.each(['1', '2', '-1', 'x', '99999'])('%s is no descriptor for a passphrase', async (fd) => {
  const { code, stderr } = await runCoffer(['ls', `--passphrase-fd=${fd}`]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('It is 0 (stdin), or 3 or more.') as string]);
});

test('stdin can not be content and passphrase at once', async () => {
  const { code, stderr } = await runCoffer([
    'add',
    '-',
    '--name',
    'x',
    '--passphrase-fd',
    '0',
    '--vault',
    folder,
  ]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('not both') as string]);
});

test('the program has no terminal of its own in these tests', async () => {
  const child = startCoffer(['version'], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
});
