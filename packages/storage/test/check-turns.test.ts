import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { CheckTotals, FileId, FileStorage, Finding } from '../src/index.ts';
import { makeStorage, randomContent } from './support.ts';

const FILES = 300;

/** Small files alone: nothing but the database is read for them. */
async function smallFiles(): Promise<{ storage: FileStorage; ids: FileId[] }> {
  const { storage } = await makeStorage();
  const ids: FileId[] = [];
  for (let index = 0; index < FILES; index += 1)
    ids.push((await storage.saveFile(randomContent(100), { name: String(index) })).id);
  return { storage, ids };
}

async function allOf(
  checking: AsyncGenerator<Finding, CheckTotals, undefined>,
): Promise<{ found: Finding[]; totals: CheckTotals }> {
  const found: Finding[] = [];
  for (;;) {
    const next = await checking.next();
    if (next.done === true) return { found, totals: next.value };
    found.push(next.value);
  }
}

describe('while small files are checked', () => {
  test.each(['full', 'quick'] as const)('others have their turn between two of them (%s)', async (mode) => {
    const { storage, ids } = await smallFiles();
    // Without the database, whose pages are looked at first and take turns of their own.
    const checking = allOf(storage.check({ mode, ids }));
    const ended = checking.then(() => 'ended');
    let turns = 0;
    while ((await Promise.race([ended, nextTurn()])) !== 'ended') turns += 1;
    // Reading all of them at once would have left it one.
    expect(turns).toBeGreaterThan(FILES / 2);
    expect((await checking).totals.files).toBe(FILES);
  });

  test('a signal ends it', async () => {
    const { storage, ids } = await smallFiles();
    const controller = new AbortController();
    let bytes = 0;
    const checking = allOf(
      storage.check({ mode: 'full', ids, signal: controller.signal, onProgress: (done) => (bytes = done) }),
    );
    setImmediate(() => {
      controller.abort();
    });
    await expect(checking).rejects.toMatchObject({ code: 'ABORTED' });
    expect(bytes).toBeLessThan((FILES * 100) / 2);
  });

  test.each([100, 200_000])('one of %d bytes that is removed is no finding', async (sizeBytes) => {
    const { storage, ids } = await smallFiles();
    const { id } = await storage.saveFile(randomContent(sizeBytes), { name: 'last' });
    const checking = allOf(storage.check({ mode: 'full', ids: [...ids, id] }));
    await nextTurn();
    await storage.deleteFile(id);
    expect(await checking).toMatchObject({ found: [], totals: { files: FILES + 1, filesRead: FILES } });
  });
});
