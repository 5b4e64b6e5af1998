import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TestVault } from '../support/test-vault.ts';

async function vaultWithSource(): Promise<TestVault> {
  const vault = await TestVault.create();
  mkdirSync(vault.path('docs', 'letters', 'empty'), { recursive: true });
  writeFileSync(vault.path('docs', 'letters', 'dear.txt'), 'Dear');
  writeFileSync(vault.path('docs', 'note.txt'), 'note');
  return vault;
}

test('import prints the path of every file, and counts empty folders', async () => {
  using vault = await vaultWithSource();
  const planned = await vault.run(['import', vault.path('docs'), '--into', 'papers', '-n']);
  expect(planned.stdout).toBe('papers/letters/dear.txt\npapers/note.txt\n');
  expect((await vault.run(['ls', '-r'])).stdout).toBe('');
  const { code, stdout, stderr } = await vault.run(['import', vault.path('docs'), '--into', 'papers']);
  expect([code, stdout]).toEqual([0, planned.stdout]);
  expect(stderr).toMatch(
    /^Added 2 files, 8 B, in .*; left out 1 empty folder, which a vault has no place for\.\n$/,
  );
  const again = await vault.json(['import', vault.path('docs'), '--into', 'papers', '--on-conflict', 'skip']);
  expect(again).toMatchObject([
    { type: 'summary', command: 'import', added: 0, skippedExisting: 2, emptyFolders: 1, failed: 0 },
  ]);
});

test('add -r names empty folders with -v', async () => {
  using vault = await vaultWithSource();
  const { code, stderr } = await vault.run(['add', '-r', '-v', vault.path('docs')]);
  expect(code).toBe(0);
  expect(stderr).toContain(`${vault.path('docs/letters/empty')}: an empty folder, left out`);
});

test('import names links and exits 3, and refuses what is no folder', async () => {
  using vault = await vaultWithSource();
  symlinkSync(vault.path('docs/note.txt'), vault.path('docs/link'));
  const { code, stderr } = await vault.run(['import', vault.path('docs')]);
  expect([code, stderr]).toEqual([3, expect.stringContaining('docs/link: a symbolic link') as string]);
  const file = await vault.run(['import', vault.path('docs/note.txt')]);
  expect([file.code, file.stderr]).toEqual([2, expect.stringContaining('is not a folder') as string]);
  expect((await vault.run(['import', vault.path('nothing')])).code).toBe(15);
});
