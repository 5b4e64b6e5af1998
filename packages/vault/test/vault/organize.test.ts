import { describe, expect, test } from 'vitest';
import { TestVault, all } from './test-vault.ts';

async function withFiles(...paths: string[]): Promise<TestVault> {
  const made = await TestVault.create();
  for (const path of paths) await made.put(path);
  return made;
}

function refused(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

describe('an item stands for', () => {
  test('a path, then a unique name, then a folder, then an id prefix', async () => {
    const made = await withFiles('docs/report.txt', 'other/notes.txt', 'report.txt');
    const { vault } = made;
    expect(vault.resolve('report.txt')).toMatchObject({ file: { path: 'report.txt' } });
    expect(vault.resolve('docs/report.txt')).toMatchObject({ file: { path: 'docs/report.txt' } });
    expect(vault.resolve('/docs/report.txt')).toMatchObject({ file: { path: 'docs/report.txt' } });
    expect(vault.resolve('notes.txt')).toMatchObject({ file: { path: 'other/notes.txt' } });
    expect(vault.resolve('docs')).toEqual({ kind: 'folder', folder: 'docs' });
    expect(vault.resolve('docs/')).toEqual({ kind: 'folder', folder: 'docs' });
    expect(vault.resolve('/')).toEqual({ kind: 'folder', folder: '' });
    const id = await made.put('third');
    expect(vault.resolve(id.slice(0, 12))).toMatchObject({ file: { path: 'third' } });
    expect(vault.resolve(`id:${id.slice(0, 12)}`)).toMatchObject({ file: { path: 'third' } });
  });

  test('a name that looks like an id prefix is a name, unless `id:` forces it', async () => {
    const made = await withFiles('a');
    const id = await made.put('b');
    await made.put(id.slice(0, 8));
    expect(made.vault.resolve(id.slice(0, 8))).toMatchObject({ file: { path: id.slice(0, 8) } });
    expect(made.vault.resolve(`id:${id.slice(0, 8)}`)).toMatchObject({ file: { path: 'b' } });
  });

  test('nothing: it says so', async () => {
    const { vault } = await withFiles('a');
    for (const item of ['nothing', 'a/', 'a/b', 'id:ffffffff', '../a']) {
      expect(() => vault.resolve(item)).toThrow(refused('NOT_FOUND'));
    }
  });

  test('more than one thing: its candidates are listed', async () => {
    const { vault } = await withFiles('x/same', 'y/same');
    expect(() => vault.resolve('same')).toThrow(
      expect.objectContaining({
        code: 'AMBIGUOUS',
        candidates: [expect.stringContaining('x/same'), expect.stringContaining('y/same')].sort() as string[],
      }) as Error,
    );
  });

  test('two kinds of thing: refused when it matters, for it cannot be undone', async () => {
    const made = await withFiles('x/docs', 'docs/a.txt');
    expect(made.vault.resolve('docs')).toMatchObject({ kind: 'file' });
    expect(() => made.vault.resolve('docs', { strict: true })).toThrow(refused('AMBIGUOUS'));
    expect(await all(made.vault.removePaths(['docs'], { recursive: true }))).toMatchObject([
      { type: 'failed', error: { code: 'AMBIGUOUS' } },
    ]);
    await all(made.vault.removePaths(['docs/'], { recursive: true }));
    expect(made.paths()).toEqual(['x/docs']);
  });

  test('nothing at all: refused, for it may be a variable that was never set', async () => {
    const made = await withFiles('a');
    expect(() => made.vault.resolve('')).toThrow(refused('INVALID_INPUT'));
    expect(() => made.vault.move('a', '')).toThrow(refused('INVALID_INPUT'));
    expect(await all(made.vault.removePaths([''], { recursive: true }))).toMatchObject([
      { type: 'failed', error: { code: 'INVALID_INPUT' } },
    ]);
    expect(made.paths()).toEqual(['a']);
  });

  test('the same, however its accents are typed', async () => {
    const { vault } = await withFiles('Zo\u00eb/f');
    expect(vault.resolve('Zoe\u0308/f')).toMatchObject({ kind: 'file' });
    expect(vault.resolve('Zoe\u0308')).toMatchObject({ kind: 'folder' });
  });
});

describe('moving', () => {
  test('renames, and moves into a folder that is there or ends with a slash', async () => {
    const made = await withFiles('a.txt', 'docs/b.txt');
    made.vault.move('a.txt', 'c.txt');
    made.vault.move('c.txt', 'docs');
    made.vault.move('docs/b.txt', 'new/');
    expect(made.paths()).toEqual(['docs/c.txt', 'new/b.txt']);
    made.vault.move('new/b.txt', '/');
    expect(made.paths()).toEqual(['b.txt', 'docs/c.txt']);
  });

  test('a folder goes with everything in it', async () => {
    const made = await withFiles('a/one', 'a/deep/two', 'ab/three', 'b/four');
    made.vault.move('a', 'c/d');
    expect(made.paths()).toEqual(['ab/three', 'b/four', 'c/d/deep/two', 'c/d/one']);
    made.vault.move('c', 'b');
    expect(made.paths()).toEqual(['ab/three', 'b/c/d/deep/two', 'b/c/d/one', 'b/four']);
  });

  test('never replaces anything, and changes nothing when it is refused', async () => {
    const made = await withFiles('a', 'b', 'x/one', 'x/two', 'y/two');
    const before = made.paths();
    expect(() => made.vault.move('a', 'b')).toThrow(refused('EXISTS'));
    expect(() => made.vault.move('x/two', 'y')).toThrow(refused('EXISTS'));
    expect(() => made.vault.move('a', 'b/c')).toThrow(refused('EXISTS'));
    expect(() => made.vault.move('x', 'x/inner')).toThrow(refused('INVALID_INPUT'));
    expect(() => made.vault.move('/', 'z')).toThrow(refused('INVALID_INPUT'));
    expect(() => made.vault.move('a', '../out')).toThrow(refused('INVALID_INPUT'));
    expect(() => made.vault.move('x', 'a/')).toThrow(refused('EXISTS'));
    expect(() => made.vault.move('a', 'n'.repeat(256))).toThrow(refused('INVALID_INPUT'));
    expect(made.paths()).toEqual(before);
  });

  test('to where it is already does nothing', async () => {
    const made = await withFiles('x/a');
    made.vault.move('x/a', 'x/a');
    made.vault.move('x/', '/');
    expect(made.paths()).toEqual(['x/a']);
  });
});

describe('tags', () => {
  test('are added, removed and found', async () => {
    const made = await withFiles('x/a', 'x/b', 'c');
    made.vault.tag('x', { add: ['trip', '2026 summer'] });
    made.vault.tag('x/b', { add: ['trip'], remove: ['2026 summer'] });
    expect(made.vault.list({ tag: 'trip' }).files.map((file) => file.path)).toEqual(['x/a', 'x/b']);
    expect(made.vault.resolve('x/a')).toMatchObject({ file: { tags: ['2026 summer', 'trip'] } });
    expect(made.vault.tags()).toEqual([
      { tag: '2026 summer', fileCount: 1 },
      { tag: 'trip', fileCount: 2 },
    ]);
  });

  test.each(['', ' ', 'a\nb', '\ud800', 'x'.repeat(129)])('the tag %j is refused', async (tag) => {
    const { vault } = await withFiles('a');
    expect(() => vault.tag('a', { add: [tag] })).toThrow(refused('INVALID_INPUT'));
  });
});

describe('removing', () => {
  test('a folder needs `recursive`, a dry run removes nothing', async () => {
    const made = await withFiles('x/a', 'x/deep/b', 'c');
    expect(await all(made.vault.removePaths(['x']))).toMatchObject([
      { type: 'failed', error: { code: 'NOT_A_FILE' } },
    ]);
    expect(await all(made.vault.removePaths(['x'], { recursive: true, dryRun: true }))).toMatchObject([
      { type: 'planned' },
      { type: 'planned' },
    ]);
    expect(made.paths()).toHaveLength(3);
    expect(await all(made.vault.removePaths(['x', 'x/a', 'nothing'], { recursive: true }))).toMatchObject([
      { type: 'failed', item: 'nothing', error: { code: 'NOT_FOUND' } },
      { type: 'removed', file: { path: 'x/a' } },
      { type: 'removed', file: { path: 'x/deep/b' } },
    ]);
    expect(made.paths()).toEqual(['c']);
  });
});

describe('check', () => {
  test('of a whole vault finds nothing and counts everything', async () => {
    const made = await withFiles('a', 'x/b');
    await made.put('big', new Uint8Array(300_000));
    expect(await all(made.vault.check())).toEqual([
      { type: 'summary', files: 3, filesRead: 3, bytesRead: 300_004, findings: 0 },
    ]);
    expect(await all(made.vault.check({ mode: 'full', items: ['x'] }))).toEqual([
      { type: 'summary', files: 1, filesRead: 1, bytesRead: 3, findings: 0 },
    ]);
  });

  test('names a lost file with its path and what to do', async () => {
    const made = await TestVault.create();
    const id = await made.put('x/big', new Uint8Array(300_000));
    const { rmSync } = await import('node:fs');
    rmSync(made.path('vault', 'files', `${id}.enc`));
    const [event] = await all(made.vault.check({ mode: 'quick' }));
    expect(event).toMatchObject({
      type: 'finding',
      finding: { code: 'FILE_MISSING', subject: 'file', id, path: 'x/big' },
    });
    expect(made.vault.status()).toMatchObject({ damagedFiles: 1 });
  });
});

describe('key slots', () => {
  test('are added, listed and removed, and the last one stays', async () => {
    const made = await TestVault.create();
    const [first] = made.vault.slots();
    const second = await made.vault.addSlot(
      { kind: 'passphrase', passphrase: new TextEncoder().encode('correct horse') },
      { label: 'laptop', argon2id: { memoryKiB: 19_456, passes: 2, parallelism: 1 } },
    );
    expect(made.vault.slots().map(({ kind, label }) => [kind, label])).toEqual([
      ['keyfile', undefined],
      ['passphrase', 'laptop'],
    ]);
    await made.vault.removeSlot(second.id.slice(0, 6));
    await expect(made.vault.removeSlot(first?.id ?? '')).rejects.toMatchObject({ code: 'LAST_SLOT' });
    await expect(made.vault.removeSlot('')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(made.vault.removeSlot('zzzz')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
