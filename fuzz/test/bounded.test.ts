import { Buffer } from 'node:buffer';
import process from 'node:process';
import { expect, test } from 'vitest';
import { bounded } from '../engine/bounded.ts';

const BOUNDS = { maxCpuMs: 200, maxGrowthMiB: 64 };

test('a case within its bounds gives what it gave', async () => {
  expect(await bounded(() => 'it', BOUNDS)).toBe('it');
  expect(await bounded(() => Promise.resolve('it'), { ...BOUNDS, hangsAfterMs: 10_000 })).toBe('it');
});

test('a case that takes too much of a core fails', async () => {
  const busy = (): void => {
    const before = process.cpuUsage();
    while (process.cpuUsage(before).user < 400_000);
  };
  await expect(bounded(busy, BOUNDS)).rejects.toThrow(/of a core/);
});

test('a case that takes too much memory fails, also when it gives it back', async () => {
  const large = (): number => Buffer.alloc(512 * 1024 * 1024, 1).length;
  await expect(bounded(large, { ...BOUNDS, maxCpuMs: 60_000 })).rejects.toThrow(/memory grew/);
});

test('a case that never ends fails', async () => {
  const never = (): Promise<never> => new Promise<never>(() => undefined);
  await expect(bounded(never, { ...BOUNDS, hangsAfterMs: 10 })).rejects.toThrow('it hangs');
});
