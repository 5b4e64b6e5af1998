import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  await vault.put('letter.txt', 'Dear Sir or Madam');
  await vault.put('photos/beach.txt', 'sand');
  await vault.put('photos/sea/large.bin', Buffer.alloc(300_000, 7));
});
afterAll(() => {
  vault[Symbol.dispose]();
});

describe('export', () => {
  test('prints where every file is, and the total on stderr', async () => {
    const out = vault.path('all');
    const { code, stdout, stderr } = await vault.run(['export', out, '--checksums']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      join(out, 'letter.txt'),
      join(out, 'photos/beach.txt'),
      join(out, 'photos/sea/large.bin'),
    ]);
    expect(stderr).toMatch(/^Exported 3 files, 300 kB in all, in [\d.]+ s\.\n$/);
    expect(readdirSync(out).toSorted()).toEqual(['SHA256SUMS', 'letter.txt', 'photos']);
    expect(readFileSync(join(out, 'photos/beach.txt'), 'utf8')).toBe('sand');
  });

  test('into what is not empty exits 16 with what can be done, and goes on with --skip-existing', async () => {
    const out = vault.path('again');
    expect((await vault.run(['export', out, 'letter.txt'])).code).toBe(0);
    const refused = await vault.run(['export', out]);
    expect([refused.code, refused.stdout]).toEqual([16, '']);
    expect(refused.stderr).toContain('has something in it already');
    expect(refused.stderr).toContain('--skip-existing');
    const { code, stdout, stderr } = await vault.run(['export', out, '--skip-existing']);
    expect([code, stdout.trimEnd().split('\n').length]).toEqual([0, 2]);
    expect(stderr).toContain('Exported 2 files, 300 kB in all');
    expect(stderr).toContain('1 file there already');
  });

  test('writes file objects and a summary with --json', async () => {
    const out = vault.path('json');
    const first = await vault.json(['export', out, 'photos/beach.txt']);
    expect(first).toMatchObject([
      { type: 'file', path: 'photos/beach.txt', destination: join(out, 'photos/beach.txt') },
      { type: 'summary', command: 'export', exported: 1, kept: 0, failed: 0, sizeBytes: 4 },
    ]);
    const second = await vault.json(['export', out, 'photos/beach.txt', '--skip-existing']);
    expect(second).toMatchObject([{ kept: true }, { exported: 0, kept: 1 }]);
  });

  test('exits 14 when the only file is damaged and 3 when others are not, and names it', async () => {
    using other = await TestVault.create();
    await other.put('big', Buffer.alloc(200_000, 1));
    const [name = ''] = other.sealedNames();
    const path = other.path('vault', 'files', name);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(50_000) ^ 1, 50_000);
    writeFileSync(path, bytes);
    const alone = await other.run(['export', other.path('one')]);
    expect([alone.code, alone.stderr]).toEqual([
      14,
      expect.stringMatching(/^coffer: error: .*big/) as string,
    ]);
    await other.put('small', 'fine');
    const some = await other.run(['export', other.path('two')]);
    expect([some.code, some.stdout]).toEqual([3, `${other.path('two', 'small')}\n`]);
  });

  test('of an empty vault is an empty folder', async () => {
    using empty = await TestVault.create();
    const { code, stderr } = await empty.run(['export', empty.path('out')]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Exported 0 files') as string]);
    expect(readdirSync(empty.path('out'))).toEqual([]);
  });
});
