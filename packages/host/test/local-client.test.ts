import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLocalClient } from '../src/index.ts';
import { TestVault, collect, put } from './support/test-vault.ts';

test('asks a vault of this process: calls, streams and bytes', async () => {
  await using test = await TestVault.create();
  await using client = createLocalClient(test.vault);
  await put(client, 'a.txt', 'hello');
  expect((await client.list()).files.map(({ path }) => path)).toEqual(['a.txt']);
  expect((await collect(client.read('a.txt'))).map(String)).toEqual(['104,101,108,108,111']);
  expect(await collect(client.removePaths(['a.txt']))).toMatchObject([{ type: 'removed' }]);
  expect(client.vaultId).toBe(test.vault.vaultId);
});

test('what a method throws is a rejection, as it would be from elsewhere', async () => {
  await using test = await TestVault.create();
  const client = createLocalClient(test.vault);
  const resolving = client.resolve('nothing');
  await expect(resolving).rejects.toMatchObject({ name: 'VaultError', code: 'NOT_FOUND' });
});

test('relative paths are those of the caller, and are called as the caller calls them', async () => {
  await using test = await TestVault.create();
  mkdirSync(test.path('work', 'in'), { recursive: true });
  writeFileSync(test.path('work', 'in', 'a.txt'), 'hello');
  const client = createLocalClient(test.vault, { cwd: test.path('work') });
  expect(await collect(client.addPaths(['in'], { recursive: true }))).toMatchObject([
    { type: 'added', source: 'in/a.txt', file: { path: 'in/a.txt' } },
  ]);
  expect(await collect(client.addPaths(['none']))).toMatchObject([{ type: 'failed', source: 'none' }]);
  expect(await collect(client.getPaths(['in'], { destination: 'out' }))).toMatchObject([
    { type: 'restored', destination: 'out/in/a.txt' },
  ]);
  expect(readFileSync(test.path('work', 'out', 'in', 'a.txt'), 'utf8')).toBe('hello');
});
