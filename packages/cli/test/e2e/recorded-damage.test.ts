import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TestVault } from '../support/test-vault.ts';

async function withSealed(): Promise<{ vault: TestVault; path: string }> {
  const vault = await TestVault.create();
  onTestFinished(() => {
    vault[Symbol.dispose]();
  });
  await vault.put('films/a.bin', randomBytes(300_000));
  const files = vault.path('vault', 'files');
  return { vault, path: join(files, readdirSync(files)[0] ?? '') };
}

test.each([
  ['cat', ['cat', 'a.bin']],
  ['get', ['get', 'a.bin', '-o', 'OUT']],
  ['export', ['export', 'OUT']],
])('damage that %s comes upon is known from then on, with its time', async (_, command) => {
  const { vault, path } = await withSealed();
  const bytes = readFileSync(path);
  writeFileSync(path, Buffer.from(bytes).fill(0, 100_000, 100_001));
  const startMs = Date.now();
  const args = command.map((word) => (word === 'OUT' ? vault.path('out') : word));
  expect((await vault.run(args)).code).toBe(14);
  const readMs = Date.now();
  const [file] = await vault.json(['info', 'a.bin']);
  expect(file).toMatchObject({ condition: 'damaged' });
  const sinceMs = Number(file?.['damagedSinceMs']);
  expect(sinceMs).toBeGreaterThanOrEqual(startMs);
  expect(sinceMs).toBeLessThanOrEqual(readMs);
  // It is today still, also when it is midnight by now.
  const now = { nowMs: sinceMs };
  expect((await vault.run(['info', 'a.bin'], now)).stdout).toMatch(
    /^condition +damaged, seen today \d\d:\d\d$/m,
  );
  expect((await vault.run(['ls', '-rl', '--color', 'never'], { columns: 120, ...now })).stdout).toMatch(
    /a\.bin \(damaged, seen today \d\d:\d\d\)/,
  );
  expect((await vault.run(['status'], now)).stdout).toMatch(
    /^damaged +1 file, the first seen today \d\d:\d\d$/m,
  );
  expect((await vault.json(['status']))[0]).toMatchObject({ damagedFiles: 1, damagedSinceMs: sinceMs });
  for (const [name] of [['doctor'], ['check']])
    expect(await vault.json([name ?? ''])).toContainEqual(
      expect.objectContaining({ code: 'SEGMENT_DAMAGED', path: 'films/a.bin', sinceMs }),
    );
  // Put back, and read once: whole again.
  writeFileSync(path, bytes);
  expect((await vault.run(['cat', 'a.bin'])).code).toBe(0);
  expect((await vault.json(['info', 'a.bin']))[0]).toMatchObject({ condition: 'ok' });
  expect((await vault.json(['status']))[0]).not.toHaveProperty('damagedSinceMs');
});

test('a sealed file that a read finds missing is known to be', async () => {
  const { vault, path } = await withSealed();
  renameSync(path, vault.path('away'));
  expect((await vault.run(['cat', 'a.bin'])).code).toBe(14);
  const [file] = await vault.json(['info', 'a.bin']);
  const { stdout } = await vault.run(['info', 'a.bin'], { nowMs: Number(file?.['damagedSinceMs']) });
  expect(stdout).toMatch(/^condition +missing, seen today \d\d:\d\d$/m);
});
