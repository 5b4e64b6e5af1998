import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { NAMES_ELSEWHERE } from '../src/unknown-command.ts';
import { parseLines, runMain } from './support/run-main.ts';

test.each([
  [['lss'], "unknown command 'lss'", 'did you mean ls? `coffer help` lists the commands'],
  [['foo', 'ls'], "unknown command 'foo'", 'a vault is named by --vault: `coffer ls --vault foo`'],
  [
    ['~/my/vault'],
    "unknown command '~/my/vault'",
    'a vault is named by --vault: `coffer ls --vault ~/my/vault`',
  ],
  [
    ['./mv', 'info', 'x'],
    "unknown command './mv'",
    'hint: a vault is named by --vault: `coffer info --vault ./mv`',
  ],
  [['fnd', 'ls'], "unknown command 'fnd'", 'did you mean find? a vault is named by --vault'],
  [['--vault', 'ls', 'foo'], "unknown command 'foo'", '`coffer help` lists the commands'],
  [['delete', 'x'], "unknown command 'delete'", 'did you mean rm?'],
  [['put', 'x'], "unknown command 'put'", 'did you mean add?'],
  [['key', 'foo'], "unknown command 'foo'", '`coffer help key` shows how it is used'],
  [['delete', '--jsno'], 'unknown', 'did you mean'],
  [['ls', '--jsno'], "unknown option '--jsno'", 'did you mean --json?'],
  [['add', '--recursve', 'x'], "unknown option '--recursve'", 'did you mean --recursive?'],
  [['key', 'lss'], "unknown command 'lss'", 'did you mean ls?'],
  [['mv', 'a'], "missing required argument 'destination'", '`coffer help mv` shows how it is used'],
  [
    ['ls', 'a', 'b'],
    "too many arguments for 'ls'. Expected 1 argument but got 2: a, b.",
    '`coffer help ls` shows how it is used',
  ],
  [
    ['add', 'x', '--on-conflict', 'ask'],
    "option '--on-conflict <policy>' argument 'ask' is invalid.",
    '`coffer help add`',
  ],
  [['help', 'nix'], "there is no help on 'nix'", 'topics are'],
  [['find'], 'nothing to look for', 'coffer ls -r'],
  [['find', '--min-size', 'big'], 'not a size: big', '1.5GB'],
  [['ls', '--since', 'someday'], 'not a date: someday', '7d'],
  [['add', '-'], 'stdin has no name', '--name'],
  [['add', '-', 'x', '--name', 'y'], '- (stdin) can only be added alone', './-'],
  [['cat', 'x', '--range', '9-1'], 'not a range: 9-1', '0-99'],
  [['check', '--quick', '--sample', '5%'], "--quick and --sample can't be used together", 'no content'],
])('%j is a usage error with a hint', async (args, message, hint) => {
  const { code, stdout, stderr } = await runMain(args);
  expect([code, stdout]).toEqual([2, '']);
  const [error = '', advice = ''] = stderr.split('\n');
  expect(error).toContain(`coffer: error: ${message}`);
  expect(advice).toMatch(/^coffer: hint: /);
  expect(advice).toContain(hint);
});

test('a usage error is an object with --json, wherever the flag stands', async () => {
  for (const args of [
    ['--json', 'lss'],
    ['ls', '--nope', '--json'],
  ]) {
    const { code, stdout, stderr } = await runMain(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(parseLines(stderr)).toEqual([
      expect.objectContaining({ v: 1, type: 'error', code: 'USAGE', exitCode: 2 }),
    ]);
  }
});

test('what stands after -- is no flag', async () => {
  const { stderr } = await runMain(['info', '--', '--json', 'x']);
  expect(stderr).toMatch(/^coffer: error: too many arguments/);
});

test('without a command it is an error object with --json', async () => {
  for (const args of [['--json'], ['key', '--json'], ['--json', 'key']]) {
    const { code, stdout, stderr } = await runMain(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(parseLines(stderr)).toEqual([
      expect.objectContaining({ v: 1, type: 'error', code: 'USAGE', message: 'a command is missing' }),
    ]);
  }
});

test('without a command help goes to stderr and it is a usage error', async () => {
  for (const args of [[], ['key']]) {
    const { code, stdout, stderr } = await runMain(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Usage: coffer/);
  }
});

test('commands of later versions are not there', async () => {
  for (const command of ['send', 'desktop', 'completion']) {
    const { code, stderr } = await runMain([command]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('unknown command') as string]);
  }
});

test('a vault that stands where the command belongs is known as one, whatever its name is like', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coffer-usage-'));
  onTestFinished(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  });
  const before = process.cwd();
  process.chdir(folder);
  mkdirSync('lss');
  writeFileSync(join('lss', 'vault.json'), '{}');
  expect((await runMain(['lss'])).stderr).toContain(
    'hint: a vault is named by --vault: `coffer ls --vault lss`',
  );
});

test('every name that other programs have is no command, and what is advised is one', async () => {
  for (const [word, advised] of Object.entries(NAMES_ELSEWHERE)) {
    const { code, stderr } = await runMain([word]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`did you mean ${advised}?`) as string]);
    for (const command of advised.split(' or '))
      expect((await runMain(['help', ...command.split(' ').slice(0, 1)])).code).toBe(0);
  }
});
