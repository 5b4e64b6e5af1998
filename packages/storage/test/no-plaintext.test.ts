import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allFiles, makeFolder, makeStorage } from './support.ts';

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
  expect(existsSync(directory)).toBe(true);
});

test('nothing is written to the folder for temporary files', () => {
  const [directory, temporary] = [makeFolder(), makeFolder()];
  const script = join(import.meta.dirname, 'save-child.ts');
  const args = ['--conditions=@coffer/source', script, directory];
  const env = { ...process.env, TMPDIR: temporary, TMP: temporary, TEMP: temporary };
  const { signal, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  expect([signal, stderr]).toEqual(['SIGKILL', '']);
  expect(readdirSync(join(directory, 'files'))).toHaveLength(1);
  expect(readdirSync(temporary)).toEqual([]);
});
