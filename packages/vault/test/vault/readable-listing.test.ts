import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileListing, Vault } from '../../src/index.ts';
import { damagedPaths, withOneBadPage } from './one-bad-page.ts';
import { TestVault, all } from './test-vault.ts';

type Query = Parameters<Vault['list']>[0];

/** Some pages of files in each folder, with a tag on every second one. */
async function withManyFiles(): Promise<{ made: TestVault; paths: readonly string[] }> {
  const made = await TestVault.create();
  const paths: string[] = [];
  for (let folder = 0; folder < 4; folder += 1) {
    for (let file = 0; file < 25; file += 1)
      paths.push(`folder-${String(folder)}/a file with a name of some length ${String(file)}`);
  }
  for (const path of paths) made.source(path);
  await all(made.vault.addPaths([made.path('source')], { recursive: true }));
  await made.put('sealed', new Uint8Array(200_000));
  return { made, paths: [...paths.map((path) => `source/${path}`), 'sealed'].sort() };
}

/** A listing to its end, in pages of this size. */
function listAll(vault: Vault, query: Query, limit: number): { paths: string[]; lost: Set<string> } {
  const paths: string[] = [];
  const lost = new Set<string>();
  let page: FileListing | undefined;
  do {
    const cursor: string | undefined = page?.nextCursor;
    page = vault.list({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
    for (const { path } of page.files) paths.push(path);
    for (const { item } of page.lost) lost.add(item);
  } while (page.nextCursor !== undefined);
  return { paths, lost };
}

test('whatever page of the database is damaged, a listing has all files that a check does not name, in their order, and names the others', async () => {
  const { made, paths } = await withManyFiles();
  let partly = 0;
  for await (const { vault, page } of withOneBadPage(made)) {
    const damaged = await damagedPaths(vault, 'ROW_DAMAGED');
    const readable = paths.filter((path) => !damaged.has(path));
    const where = `page ${String(page)}`;
    const whole = listAll(vault, { recursive: true, folder: '', sort: 'path' }, 1000);
    expect(whole, where).toEqual({ paths: readable, lost: damaged });
    // In pages, the other way round: each file once.
    const descending = listAll(vault, { recursive: true, folder: '', sort: 'path', descending: true }, 7);
    expect(descending, where).toEqual({ paths: readable.toReversed(), lost: damaged });
    const one = listAll(vault, { folder: 'source/folder-1', sort: 'name' }, 1000);
    const inFolder = (path: string): boolean => path.startsWith('source/folder-1/');
    expect(one.paths.toSorted(), where).toEqual(readable.filter(inFolder));
    expect(one.lost, where).toEqual(new Set([...damaged].filter(inFolder)));
    const found = listAll(vault, { text: 'LENGTH 2', minSizeBytes: 1, recursive: true }, 1000);
    expect(found.paths, where).toEqual(readable.filter((path) => path.includes('length 2')));
    expect(
      vault.folders('source').map(({ folder }) => folder),
      where,
    ).toEqual(['0', '1', '2', '3'].map((number) => `source/folder-${number}`));
    if (damaged.size > 0) partly += 1;
  }
  // Several leaves of the table, each with some rows.
  expect(partly).toBeGreaterThan(2);
});

test('a backup of a damaged database says what is damaged and what to do, and leaves the one before as it was', async () => {
  const { made } = await withManyFiles();
  await all(made.vault.backup(made.path('backup')));
  const before = readFileSync(made.path('backup', 'data.db'));
  let named = 0;
  for await (const { vault, page } of withOneBadPage(made)) {
    const damaged = await damagedPaths(vault, 'ROW_DAMAGED');
    const earlier = made.path(`earlier-${String(page)}`);
    cpSync(made.path('backup'), earlier, { recursive: true });
    const error: unknown = await all(vault.backup(earlier)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    // A page that no row needs.
    if (error === undefined) continue;
    const where = `page ${String(page)}`;
    expect(error, where).toMatchObject({
      code: 'DAMAGED',
      message: expect.stringMatching(
        new RegExp(
          `^no backup was made: pages of ${made.directory}/data.db cannot be read.*; the earlier backup in ${earlier}, of 20.*Z, is as it was$`,
        ),
      ) as string,
      hint: expect.stringMatching(/coffer export.*doctor --rebuild.*coffer restore/) as string,
    });
    if (damaged.size > 0) {
      const lost = `and with them ${String(damaged.size)} file`;
      expect(error, where).toMatchObject({ message: expect.stringContaining(lost) as string });
      named += 1;
    }
    expect(readFileSync(join(earlier, 'data.db')), where).toEqual(before);
    const other = made.path(`other-${String(page)}`);
    await expect(all(vault.backup(other)), where).rejects.toThrow(`there is no earlier one in ${other}`);
    expect(existsSync(join(other, 'data.db')), where).toBe(false);
  }
  expect(named).toBeGreaterThan(2);
});
