import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { allFiles, makeStorage } from './support.ts';

test('no file of the storage has plaintext, names or tags in it, at any time of a save', async () => {
  const { directory, storage } = await makeStorage();
  const marker = Buffer.from('The quick brown fox hides in the vault. ');
  const small = Buffer.alloc(50_000, marker);
  const large = Buffer.alloc(600_000, marker);
  const secrets = [
    marker,
    Buffer.from('holiday-plans.txt'),
    Buffer.from('private-tag'),
    Buffer.from('text/plain'),
  ];
  const temporaryBefore = readdirSync(tmpdir());

  function expectNothingReadable(): void {
    for (const [path, bytes] of allFiles(directory)) {
      if (/data\.db(-wal|-shm)?$/.test(path)) continue;
      for (const secret of secrets)
        expect(bytes.includes(secret), `${secret.toString()} in ${path}`).toBe(false);
    }
  }
  await storage.saveFile(small, { name: 'holiday-plans.txt', tags: ['private-tag'] });
  await storage.saveFile(large, { name: 'holiday-plans.txt', onProgress: expectNothingReadable });
  expectNothingReadable();
  await storage.close();
  expect(
    readdirSync(tmpdir()).filter((name) => !temporaryBefore.includes(name) && !name.startsWith('coffer-')),
  ).toEqual([]);
  expect(existsSync(directory)).toBe(true);
});
