import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLines } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

async function withFiles(): Promise<TestVault> {
  const vault = await TestVault.create();
  await vault.put('notes.txt', 'notes');
  await vault.put('films/a.bin', randomBytes(150_000));
  await vault.put('films/b.bin', randomBytes(150_000));
  return vault;
}

function flip(directory: string): void {
  const files = join(directory, 'files');
  const path = join(files, readdirSync(files)[0] ?? '');
  const bytes = readFileSync(path);
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test('backup, backup again, check, restore', async () => {
  using vault = await withFiles();
  const destination = vault.path('backup');
  const first = await vault.run(['backup', destination]);
  expect(first).toMatchObject({ code: 0, stdout: '' });
  expect(first.stderr).toMatch(/^Backed up 3 files, 300 kB, to .*: 2 sealed files copied \(300 kB\)\.$/m);
  await vault.run(['rm', 'films/a.bin']);
  const again = await vault.json(['backup', destination]);
  expect(again).toEqual([
    { v: 1, type: 'file', action: 'removed', id: expect.any(String) as string, sizeBytes: 158_265 },
    expect.objectContaining({
      type: 'summary',
      command: 'backup',
      copiedFiles: 0,
      unchangedFiles: 1,
      removedFiles: 1,
      failed: 0,
    }),
  ]);
  expect(await vault.run(['check', '--vault', destination])).toMatchObject({ code: 0 });
  const [status] = await vault.json(['status', '--vault', destination]);
  // It is today still, also when it is midnight by now.
  const now = { nowMs: Number(status?.['backupMadeAtMs']) };
  expect((await vault.run(['status', '--vault', destination], now)).stdout).toMatch(
    /^backup of +today \d\d:\d\d$/m,
  );
  expect((await vault.json(['status']))[0]).not.toHaveProperty('backupMadeAtMs');

  const restored = vault.path('restored');
  const restoring = await vault.run(['restore', destination, '--vault', restored], now);
  expect(restoring).toMatchObject({ code: 0, stdout: '' });
  expect(restoring.stderr).toMatch(
    /^Restored 2 files, 150 kB, to .*: the vault as it was today .*, verified\.$/m,
  );
  const list = ['ls', '-r', '--json'];
  expect((await vault.run([...list, '--vault', restored])).stdout).toBe((await vault.run(list)).stdout);
});

test('a dry run says what would be done, and makes nothing', async () => {
  using vault = await withFiles();
  const planned = await vault.run(['backup', '-n', vault.path('backup')]);
  expect(planned).toMatchObject({ code: 0, stdout: 'copied films/a.bin\ncopied films/b.bin\n' });
  expect(planned.stderr).toContain('Would back up 3 files');
  expect(readdirSync(vault.folder)).not.toContain('backup');
});

test('a backup is read, and not changed', async () => {
  using vault = await withFiles();
  const destination = vault.path('backup');
  await vault.run(['backup', destination]);
  const inBackup = { env: { COFFER_VAULT: destination } };
  expect((await vault.run(['cat', 'notes.txt'], inBackup)).stdout).toBe('notes');
  for (const args of [
    ['rm', 'notes.txt'],
    ['mv', 'notes.txt', 'x'],
    ['tag', 'notes.txt', '+x'],
    ['add', vault.path('key')],
    ['backup', vault.path('another')],
  ]) {
    const { code, stderr } = await vault.run(args, inBackup);
    expect({ args, code }).toEqual({ args, code: 17 });
    expect(stderr).toContain('is a backup');
    expect(stderr).toContain('`coffer restore`');
  }
});

test('what is damaged in the vault is named, exit 3, and the backup keeps what it has', async () => {
  using vault = await withFiles();
  const destination = vault.path('backup');
  await vault.run(['backup', destination]);
  rmSync(join(vault.path('vault', 'files'), vault.sealedNames()[0] ?? ''));
  const again = await vault.run(['backup', destination]);
  expect(again.code).toBe(3);
  expect(again.stderr).toMatch(/coffer: error: .*is missing/);
  expect(again.stderr).toContain('coffer: hint: the backup keeps its earlier copy');
  expect(await vault.run(['check', '--vault', destination])).toMatchObject({ code: 0 });
});

test('what is damaged in a backup is found by check, named by restore (exit 3), and mended by backup --verify', async () => {
  using vault = await withFiles();
  const destination = vault.path('backup');
  await vault.run(['backup', destination]);
  flip(destination);
  expect(await vault.run(['check', '--vault', destination])).toMatchObject({ code: 30 });
  const restored = await vault.run(['restore', destination, '--vault', vault.path('restored'), '--json']);
  expect(restored.code).toBe(3);
  expect(parseLines(restored.stdout)).toMatchObject([
    { type: 'finding', code: 'SEGMENT_DAMAGED' },
    { type: 'summary', command: 'restore', files: 3, findings: 1, verified: true },
  ]);
  expect(
    await vault.run(['restore', destination, '--no-verify', '--vault', vault.path('fast')]),
  ).toMatchObject({ code: 0 });
  expect(await vault.json(['backup', destination, '--verify'])).toMatchObject([
    { action: 'copied' },
    { copiedFiles: 1 },
  ]);
  expect(await vault.run(['check', '--vault', destination])).toMatchObject({ code: 0 });
});

test('folders that are something else are refused, each with its exit code and what to do', async () => {
  using vault = await withFiles();
  using other = await TestVault.create();
  mkdirSync(vault.path('papers'));
  writeFileSync(vault.path('papers', 'thesis.odt'), 'x');
  await other.run(['backup', vault.path('of-another')]);
  const refusals: readonly (readonly [args: readonly string[], code: number, message: string])[] = [
    [['backup', vault.path('vault', 'files')], 2, 'is in the vault'],
    [['backup', vault.folder], 2, 'the vault is in'],
    [['backup', vault.path('papers')], 16, 'is not empty'],
    [['backup', vault.path('papers', 'thesis.odt')], 16, 'is not a folder'],
    [['backup', other.path('vault')], 16, 'not a backup'],
    [['backup', vault.path('of-another')], 16, 'another vault'],
    [['restore', vault.path('nowhere'), '--vault', vault.path('new')], 10, 'there is no backup'],
    [['restore', other.path('vault'), '--vault', vault.path('new')], 10, 'not a backup'],
    [['restore', vault.path('of-another')], 16, 'there is a vault'],
    [['restore', vault.path('of-another'), '--vault', vault.path('papers')], 16, 'is not empty'],
    [['restore', vault.path('of-another'), '--vault', vault.path('new')], 12, 'does not open'],
  ];
  for (const [args, code, message] of refusals) {
    const ended = await vault.run(args);
    expect({ args, code: ended.code }).toEqual({ args, code });
    expect(ended.stderr).toContain(message);
  }
  expect(readdirSync(vault.folder).sort()).toEqual(['key', 'of-another', 'papers', 'vault']);
});
