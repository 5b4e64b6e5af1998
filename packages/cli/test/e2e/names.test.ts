import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestVault } from '../support/test-vault.ts';

const NAMES = [
  '-leading dash.txt',
  'two\nlines.txt',
  '\u001B[31mred\u001B[0m.txt',
  'tab\tand\\backslash',
  'quote\'s "here" $HOME `id`',
  'invoice\u202Efdp.exe',
  '🎉 party 日本語.txt',
  'spaces  inside ',
  "$'dollar",
  '#hash',
];

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  mkdirSync(vault.path('in'));
  for (const name of NAMES) writeFileSync(vault.path('in', name), name);
  const { code } = await vault.run(['add', '-r', vault.path('in'), '-q']);
  expect(code).toBe(0);
});
afterAll(() => {
  vault[Symbol.dispose]();
});

test('every name comes back as it was', async () => {
  expect((await vault.run(['get', 'in', '-o', vault.path('out'), '-q'])).code).toBe(0);
  for (const name of NAMES) expect(readFileSync(vault.path('out', 'in', name), 'utf8')).toBe(name);
});

test.each([['ls'], ['ls', '-l'], ['ls', '-r']])(
  '%s %s writes one line a name, without control or reordering characters',
  async (...args) => {
    for (const columns of [undefined, 30]) {
      const { stdout } = await vault.run(
        [...args, 'in'],
        columns === undefined ? {} : { columns, env: { NO_COLOR: '1' } },
      );
      if (columns === undefined) expect(stdout.trimEnd().split('\n')).toHaveLength(NAMES.length);
      expect(stdout.replaceAll('\n', '').replaceAll('\t', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }
  },
);

test('get, info and find escape names as well', async () => {
  const outputs = [
    await vault.run(['get', 'in/two\nlines.txt', '-o', vault.path('again')]),
    await vault.run(['info', 'in/\u001B[31mred\u001B[0m.txt']),
    await vault.run(['find', 'red', '-l']),
    await vault.run(['cat', 'in/no\u001B[2Jsuch']),
  ];
  for (const { stdout, stderr } of outputs) {
    expect((stdout + stderr).replaceAll('\n', '').replaceAll('\t', '')).not.toMatch(/\p{Cc}/u);
  }
});

test('-0 and --json give names exactly', async () => {
  const nul = (await vault.run(['ls', '-0', 'in'])).stdout.split('\0').slice(0, -1);
  const json = (await vault.json(['ls', 'in'])).filter(({ type }) => type === 'file').map(({ name }) => name);
  expect(nul.toSorted()).toEqual(NAMES.map((name) => join('in', name)).toSorted());
  expect(json.toSorted()).toEqual(NAMES.toSorted());
});

test('a name with a leading dash is given after --', async () => {
  expect((await vault.run(['cat', '--', '-leading dash.txt'])).stdout).toBe('-leading dash.txt');
  expect((await vault.run(['cat', 'in/-leading dash.txt'])).stdout).toBe('-leading dash.txt');
});

test('a name can not leave the folder it is restored to', async () => {
  for (const name of ['..', '../evil', 'a/../../evil']) {
    expect((await vault.run(['add', '-', '--name', name], { input: 'x' })).code).toBe(2);
    expect((await vault.run(['add', '-', '--name', 'x', '--folder', name], { input: 'x' })).code).toBe(2);
  }
});
