import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diagnose, openVault } from '../../src/index.ts';
import type { Vault } from '../../src/index.ts';
import { SmallDisk, canMount } from './small-disk.ts';
import { all } from './test-vault.ts';

async function smallDisk(size: string): Promise<SmallDisk> {
  const root = mkdtempSync(join(tmpdir(), 'coffer-vault-'));
  const disk = await SmallDisk.create(root, size);
  onTestFinished(async () => {
    await disk.unmount();
    rmSync(root, { recursive: true, force: true });
  });
  return disk;
}

describe.skipIf(!canMount)('with not a byte left on the disk (needs root for a small tmpfs)', () => {
  test.each([[false], [true]])(
    'a folder of more small files than the reserve has space for is removed, shred: %s',
    async (shred) => {
      const disk = await smallDisk('24m');
      // Their pages, zeroed, take twice the reserve in the log.
      for (let number = 0; number < 30; number++) await disk.put(`all/${String(number)}`, 90_000);
      await disk.put('all/sealed', 300_000);
      await disk.put('kept', 1000);
      const vault = await disk.reopen();
      disk.fill();
      const events = await all(vault.removePaths(['all'], { recursive: true, shred }));
      const types = events.map(({ type, ...event }) => [
        type,
        'shredded' in event ? event.shredded : undefined,
      ]);
      expect(types).toEqual(Array.from({ length: 31 }, () => ['removed', shred ? true : undefined]));
      expect(vault.list({ recursive: true, folder: '' }).files.map(({ path }) => path)).toEqual(['kept']);
    },
  );

  test('of small files that do not fit together those that fit are added, and each other one is named', async () => {
    const disk = await smallDisk('12m');
    const many = join(disk.path, '..', 'many');
    mkdirSync(many);
    for (let number = 0; number < 40; number++)
      writeFileSync(join(many, String(number)), randomBytes(90_000));
    disk.fill(3_000_000);
    const events = await all(disk.vault.addPaths([many], { recursive: true }));
    const added = events.filter(({ type }) => type === 'added');
    const failed = events.flatMap((event) => (event.type === 'failed' ? [event] : []));
    expect(added.length).toBeGreaterThan(8);
    expect(failed.length).toBe(40 - added.length);
    for (const { error } of failed) {
      expect(error.code).toBe('NO_SPACE');
      expect(error.message).not.toMatch(/\d+ files/);
    }
    const vault = await disk.reopen();
    expect(vault.status().files).toBe(added.length);
  });

  test('a diagnosis says that the disk is full, and the vault opens', async () => {
    const disk = await smallDisk('12m');
    await disk.put('sealed', 300_000);
    await disk.vault.close();
    disk.fill();
    const open = (): Promise<Vault> => openVault({ directory: disk.directory, secret: disk.secret });
    const events = await all(diagnose({ directory: disk.directory, open, fix: true }));
    expect(events).toMatchObject([
      { type: 'finding', finding: { code: 'SPACE_LOW' } },
      { type: 'summary', isOpened: true },
    ]);
  });

  test('shredding that finds no space for the log says so, and goes on when there is some', async () => {
    const disk = await smallDisk('16m');
    // More than the reserve, in the log only: the database cannot grow to take it.
    for (let number = 0; number < 40; number++) await disk.put(`all/${String(number)}`, 90_000);
    disk.fill();
    const events = await all(disk.vault.removePaths(['all/7'], { shred: true }));
    expect(events).toMatchObject([
      { type: 'removed', shredded: false },
      { type: 'failed', error: { code: 'NO_SPACE' } },
    ]);
    const pending = await all(disk.vault.doctor());
    expect(pending).toMatchObject([{ type: 'finding', finding: { code: 'SHREDDING_PENDING' } }]);
    disk.empty();
    expect(await all(disk.vault.doctor({ fix: true }))).toMatchObject([
      { type: 'fixed', finding: { code: 'SHREDDING_PENDING' } },
    ]);
  });

  test('a check reads everything, and finds nothing wrong', async () => {
    const disk = await smallDisk('12m');
    await disk.put('small', 90_000);
    await disk.put('sealed', 300_000);
    await disk.reopen();
    disk.fill();
    const events = await all((await disk.reopen()).check());
    expect(events).toEqual([expect.objectContaining({ type: 'summary', findings: 0, filesRead: 2 })]);
  });
});
