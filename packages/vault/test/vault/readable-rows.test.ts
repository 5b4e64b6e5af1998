import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { damagedPaths, withOneBadPage } from './one-bad-page.ts';
import { TestVault, all } from './test-vault.ts';

test('whatever page of the database is damaged, an export has all files that a check does not name, and names the others', async () => {
  const made = await TestVault.create();
  const paths: string[] = [];
  for (let folder = 0; folder < 6; folder += 1) {
    for (let file = 0; file < 25; file += 1) {
      const path = `folder-${String(folder)}/a file with a name of some length ${String(file)}`;
      made.source(path);
      paths.push(path);
    }
  }
  await all(made.vault.addPaths([made.path('source')], { recursive: true }));
  await made.put('sealed', new Uint8Array(200_000));
  const everything = [...paths.map((path) => `source/${path}`), 'sealed'].sort();
  let partly = 0;
  for await (const { vault, page } of withOneBadPage(made)) {
    const damaged = await damagedPaths(vault);
    const events = await all(vault.exportPaths([], { destination: made.path(`out-${String(page)}`) }));
    const exported = events.flatMap((event) => (event.type === 'exported' ? [event.file.path] : []));
    const failed = events.flatMap((event) => (event.type === 'failed' ? [event.item] : []));
    expect(exported.sort(), `page ${String(page)}`).toEqual(everything.filter((path) => !damaged.has(path)));
    expect(new Set(failed), `page ${String(page)}`).toEqual(damaged);
    if (exported.length > 0 && failed.length > 0) partly += 1;
  }
  // Several leaves of the table, each with some rows.
  expect(partly).toBeGreaterThan(2);
});

test('a folder and a file are got from a database whose index by path is damaged', async () => {
  const made = await TestVault.create();
  for (let file = 0; file < 60; file += 1)
    made.source(`photos/a file with a name of some length ${String(file)}`);
  await all(made.vault.addPaths([made.path('source', 'photos')], { recursive: true }));
  await made.put('letter.txt');
  let found = 0;
  for await (const { vault, page } of withOneBadPage(made)) {
    if ((await damagedPaths(vault)).size > 0) continue;
    const destination = made.path(`out-${String(page)}`);
    const events = await all(vault.getPaths(['photos/', 'letter.txt'], { destination: `${destination}/` }));
    expect(
      events.map(({ type }) => type),
      `page ${String(page)}`,
    ).toEqual(Array<string>(61).fill('restored'));
    expect(readFileSync(join(destination, 'letter.txt'), 'utf8')).toBe('letter.txt');
    found += 1;
  }
  expect(found).toBeGreaterThan(2);
});
