import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { onPosix } from '../support.ts';
import { TestVault, all, brief } from './test-vault.ts';

describe('importing a folder', () => {
  test('takes everything below it, without its own name, with times and tags', async () => {
    const made = await TestVault.create();
    const one = made.source('album/one.txt');
    made.source('album/deep/er/two.txt');
    utimesSync(one, 1_500_000_000, 1_500_000_000);
    const source = made.path('source/album');
    for (const [path, folder] of [
      [source, 'a'],
      [`${source}/`, 'b'],
    ] as const) {
      const events = await all(made.vault.importFolder(path, { folder, tags: ['trip'] }));
      expect(brief(events)).toEqual([`added ${folder}/deep/er/two.txt`, `added ${folder}/one.txt`]);
    }
    expect(made.vault.resolve('a/one.txt')).toMatchObject({
      file: { modifiedAtMs: 1_500_000_000_000, tags: ['trip'] },
    });
  });

  onPosix('says what it leaves out: empty folders, and links, which it does not follow', async () => {
    const made = await TestVault.create();
    made.source('x/file');
    mkdirSync(made.path('source/x/empty/within'), { recursive: true });
    writeFileSync(made.path('secret'), 'outside');
    symlinkSync(made.path('secret'), made.path('source/x/link'));
    const events = await all(made.vault.importFolder(made.path('source/x')));
    expect(events).toMatchObject([
      { type: 'skipped', reason: 'empty', source: made.path('source/x/empty/within') },
      { type: 'added' },
      { type: 'skipped', reason: 'link', source: made.path('source/x/link') },
    ]);
    expect(made.paths()).toEqual(['file']);
  });

  onPosix('follows a link that is given itself', async () => {
    const made = await TestVault.create();
    made.source('x/file');
    symlinkSync(made.path('source/x'), made.path('link'));
    expect(brief(await all(made.vault.importFolder(made.path('link'))))).toEqual(['added file']);
  });

  test('keeps what is in the vault, and skips, renames or replaces it when told to', async () => {
    const made = await TestVault.create();
    made.source('x/a', 'new');
    await made.put('a', 'old');
    const run = async (onConflict?: 'skip' | 'rename' | 'replace'): Promise<string[]> =>
      brief(
        await all(
          made.vault.importFolder(made.path('source/x'), onConflict === undefined ? {} : { onConflict }),
        ),
      );
    expect(await run()).toEqual(['failed EXISTS']);
    expect(await run('skip')).toEqual(['skipped exists']);
    expect(await run('rename')).toEqual(['added a (2)']);
    expect(await made.text('a')).toBe('old');
    expect(await run('replace')).toEqual(['added a']);
    expect(await made.text('a')).toBe('new');
  });

  test('of a file, of nothing, and of the vault itself is refused', async () => {
    const made = await TestVault.create();
    const file = made.source('file');
    await expect(all(made.vault.importFolder(file))).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    const missing = all(made.vault.importFolder(made.path('missing')));
    await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(brief(await all(made.vault.importFolder(made.directory)))).toEqual(['skipped vault']);
    expect(made.paths()).toEqual([]);
  });
});
