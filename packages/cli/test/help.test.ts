import { expect, test } from 'vitest';
import { EXIT_CODES } from '@coffer/cli';
import { parseLines, runMain } from './support/run-main.ts';

const COMMANDS = [
  'init',
  'status',
  'check',
  'key',
  'backup',
  'restore',
  'add',
  'ls',
  'find',
  'info',
  'get',
  'cat',
  'mv',
  'tag',
  'rm',
];

test('help lists every command', async () => {
  const { code, stdout } = await runMain(['help']);
  expect(code).toBe(0);
  for (const command of [...COMMANDS, 'paths', 'version', 'help']) {
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test('--help and help show the same, with examples', async () => {
  const byFlag = await runMain(['add', '--help']);
  const byCommand = await runMain(['help', 'add']);
  expect(byCommand).toEqual(byFlag);
  expect(byFlag.stdout).toContain('coffer add -r photos');
  expect((await runMain(['help', 'key', 'rm'])).stdout).toMatch(/^Usage: coffer key rm/);
});

test('help exit-codes is made from the table', async () => {
  const { stdout } = await runMain(['help', 'exit-codes']);
  for (const { code } of Object.values(EXIT_CODES))
    expect(stdout).toMatch(new RegExp(`^  ${String(code)} `, 'm'));
  expect(stdout).toContain('NO_VAULT');
});

test('topics are objects with --json', async () => {
  const [topic] = parseLines((await runMain(['help', 'exit-codes', '--json'])).stdout);
  expect(topic).toMatchObject({ v: 1, type: 'help', topic: 'exit-codes' });
});

test('topics fit the terminal', async () => {
  for (const topic of ['exit-codes', 'json', 'environment']) {
    const { stdout } = await runMain(['help', topic], { columns: 60 });
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  }
});

test('version says one line, more with -v, an object with --json', async () => {
  for (const args of [['--version'], ['-V'], ['version']]) {
    expect((await runMain(args)).stdout).toMatch(/^coffer \d+\.\d+\.\d+\n$/);
  }
  expect((await runMain(['version', '-v'])).stdout).toContain('Node.js');
  expect(parseLines((await runMain(['-V', '--json'])).stdout)).toEqual([
    expect.objectContaining({ v: 1, type: 'version', version: expect.any(String) as string }),
  ]);
});
