import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OnConflict } from '../../src/index.ts';
import { TestVault, all, brief, stream } from './test-vault.ts';

describe('adding', () => {
  test('a file keeps its name, content and modification time, and the source stays', async () => {
    const made = await TestVault.create();
    const source = made.source('notes.txt', 'hello');
    const [event] = await all(made.vault.addPaths([source]));
    expect(event).toMatchObject({
      type: 'added',
      source,
      file: {
        path: 'notes.txt',
        folder: '',
        sizeBytes: 5,
        mimeType: 'text/plain',
        placement: 'blob',
        tags: [],
      },
    });
    expect(made.vault.resolve('notes.txt')).toMatchObject({
      file: { modifiedAtMs: Math.floor(statSync(source).mtimeMs) },
    });
    expect(await made.text('notes.txt')).toBe('hello');
    expect(statSync(source).size).toBe(5);
  });

  test('a folder keeps its tree', async () => {
    const made = await TestVault.create();
    for (const path of ['album/one.txt', 'album/deep/er/two.txt', 'album/-rf', 'album/🗝️ key'])
      made.source(path);
    mkdirSync(made.path('source', 'album', 'empty'));
    const events = await all(
      made.vault.addPaths([made.path('source', 'album')], {
        recursive: true,
        folder: 'in/here',
        tags: ['trip'],
      }),
    );
    expect(brief(events).sort()).toEqual([
      'added in/here/album/-rf',
      'added in/here/album/deep/er/two.txt',
      'added in/here/album/one.txt',
      'added in/here/album/🗝️ key',
      'skipped empty',
    ]);
    expect(made.vault.list({ tag: 'trip' }).files).toHaveLength(4);
    expect(await made.text('in/here/album/deep/er/two.txt')).toBe('album/deep/er/two.txt');
  });

  test('`.` adds what is in the folder, without a name for it', async () => {
    const made = await TestVault.create();
    made.source('sub/a.txt');
    expect(brief(await all(made.vault.addPaths([made.path('source') + '/.'], { recursive: true })))).toEqual([
      'added sub/a.txt',
    ]);
  });

  test('a folder without `recursive` is named and left out', async () => {
    const made = await TestVault.create();
    made.source('album/a.txt');
    expect(brief(await all(made.vault.addPaths([made.path('source', 'album')])))).toEqual(['skipped folder']);
  });

  test('links, FIFOs, sockets and devices are named, never opened', async () => {
    const made = await TestVault.create();
    made.source('mix/file.txt');
    symlinkSync('file.txt', made.path('source/mix/link'));
    symlinkSync('/', made.path('source/mix/root'));
    execFileSync('mkfifo', [made.path('source/mix/pipe')]);
    const events = await all(
      made.vault.addPaths([made.path('source/mix'), '/dev/null'], { recursive: true }),
    );
    expect(brief(events)).toEqual([
      'added mix/file.txt',
      'skipped link',
      'skipped fifo',
      'skipped link',
      'skipped device',
    ]);
  });

  test('what is not there fails by name and the others go on', async () => {
    const made = await TestVault.create();
    const events = await all(made.vault.addPaths([made.path('nothing'), made.source('a.txt')]));
    expect(brief(events)).toEqual(['failed NOT_FOUND', 'added a.txt']);
  });

  test('a name that is not UTF-8 fails by name', async () => {
    const made = await TestVault.create();
    made.source('odd/good.txt');
    writeFileSync(
      Buffer.concat([Buffer.from(made.path('source/odd/')), Buffer.from([0x66, 0xff, 0x66])]),
      'x',
    );
    const events = await all(made.vault.addPaths([made.path('source/odd')], { recursive: true }));
    expect(brief(events)).toEqual(['failed INVALID_INPUT', 'added odd/good.txt']);
  });

  test.each([
    [['*.tmp'], ['keep/a.txt', 'keep/deep/.x.txt']],
    [['deep'], ['keep/.hidden.tmp', 'keep/a.txt', 'keep/b.tmp']],
    [
      ['deep/*.tmp', '.*'],
      ['keep/a.txt', 'keep/b.tmp'],
    ],
    [
      ['/b.tmp', 'deep/'],
      ['keep/.hidden.tmp', 'keep/a.txt'],
    ],
    [['**'], []],
  ])('excluding %j leaves %j', async (exclude, left) => {
    const made = await TestVault.create();
    for (const path of ['a.txt', 'b.tmp', '.hidden.tmp', 'deep/c.tmp', 'deep/.x.txt'])
      made.source(`keep/${path}`);
    await all(made.vault.addPaths([made.path('source/keep')], { recursive: true, exclude }));
    expect(made.paths().sort()).toEqual([...left].sort());
  });

  test('a vault does not take itself in, by no path', async () => {
    const made = await TestVault.create();
    made.source('a.txt');
    linkSync(join(made.directory, 'data.db'), made.path('source/hard-link.db'));
    symlinkSync(made.directory, made.path('linked'));
    const whole = await all(made.vault.addPaths([made.root], { recursive: true }));
    expect(brief(whole).filter((line) => line.startsWith('skipped'))).toEqual([
      'skipped link',
      'skipped vault',
      'skipped vault',
    ]);
    const inside = await all(
      made.vault.addPaths([join(made.directory, 'data.db'), made.path('linked', 'data.db')]),
    );
    expect(brief(inside)).toEqual(['skipped vault', 'skipped vault']);
  });

  test('a dry run says what would be added and adds nothing', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const paths = [made.source('a.txt'), made.source('b.txt')];
    expect(brief(await all(made.vault.addPaths(paths, { dryRun: true })))).toEqual([
      'failed EXISTS',
      'planned b.txt',
    ]);
    expect(made.paths()).toEqual(['a.txt']);
  });

  test('a stream is one file with a name of one’s own', async () => {
    const made = await TestVault.create();
    const content = new Uint8Array(300_000).fill(5);
    const event = await made.vault.addStream(stream(content), {
      name: 'dump.bin',
      folder: 'x',
      mimeType: 'application/x-dump',
    });
    expect(event).toMatchObject({
      file: { path: 'x/dump.bin', sizeBytes: 300_000, placement: 'sealed', mimeType: 'application/x-dump' },
    });
  });

  test('cancelling ends it and leaves what was acknowledged', async () => {
    const made = await TestVault.create();
    // Large ones, for small ones are saved together.
    const paths = ['a', 'b', 'c'].map((name) => made.source(name, new Uint8Array(200_000)));
    const abort = new AbortController();
    const seen: string[] = [];
    const adding = (async () => {
      for await (const event of made.vault.addPaths(paths, { signal: abort.signal })) {
        seen.push(event.type);
        abort.abort();
      }
    })();
    await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
    expect(seen).toEqual(['added']);
    expect(made.paths()).toEqual(['a']);
  });

  test('a thousand small files are saved together, and those in between that cannot be are named in their place', async () => {
    const made = await TestVault.create();
    const paths = Array.from({ length: 1_000 }, (_, index) => made.source(`f${String(index)}`));
    paths.splice(300, 0, made.path('nothing'));
    paths.splice(700, 0, made.source('other/f5', 'taken'));
    const lines = brief(await all(made.vault.addPaths(paths)));
    expect(lines).toHaveLength(1_002);
    expect(lines[300]).toBe('failed NOT_FOUND');
    expect(lines[700]).toBe('failed EXISTS');
    expect(lines.filter((line) => line.startsWith('added'))).toHaveLength(1_000);
    expect(await made.text('f5')).toBe('f5');
    expect(await made.text('f999')).toBe('f999');
  });

  test('files of one batch that want the same path are told apart', async () => {
    const made = await TestVault.create();
    const paths = [
      made.source('x/same', 'first'),
      made.source('y/same', 'second'),
      made.source('z/same', 'third'),
    ];
    expect(brief(await all(made.vault.addPaths(paths, { onConflict: 'rename' })))).toEqual([
      'added same',
      'added same (2)',
      'added same (3)',
    ]);
    expect(brief(await all(made.vault.addPaths(paths, { onConflict: 'replace' })))).toEqual([
      'added same',
      'added same',
      'added same',
    ]);
    expect(await made.text('same')).toBe('third');
    expect(made.paths()).toEqual(['same', 'same (2)', 'same (3)']);
  });

  test('progress ends at all of it, and comes at most ten times a second', async () => {
    const made = await TestVault.create();
    const paths = Array.from({ length: 30 }, (_, index) =>
      made.source(`f${String(index)}`, new Uint8Array(1_000)),
    );
    const reports: { bytesDone: number; filesDone: number; fraction: number | undefined }[] = [];
    const start = performance.now();
    await all(made.vault.addPaths(paths, { onProgress: (progress) => reports.push(progress) }));
    const seconds = (performance.now() - start) / 1_000;
    expect(reports.at(-1)).toMatchObject({ bytesDone: 30_000, filesDone: 30, filesTotal: 30, fraction: 1 });
    expect(reports.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 2);
  });
});

test('two names that differ only in how an accent is written are one, and it says so', async () => {
  const made = await TestVault.create();
  const paths = ['caf\u00e9', 'cafe\u0301'].map((name) => made.source(`x/${name}`));
  const events = await all(made.vault.addPaths(paths));
  expect(brief(events)).toEqual(['added caf\u00e9', 'failed EXISTS']);
  expect(events[1]).toMatchObject({ error: { message: expect.stringContaining('accents') as string } });
});

describe('when the path is taken', () => {
  async function addAgain(onConflict: OnConflict): Promise<{ made: TestVault; lines: string[] }> {
    const made = await TestVault.create();
    await made.put('report.pdf', 'old');
    const lines = brief(await all(made.vault.addPaths([made.source('report.pdf', 'new')], { onConflict })));
    return { made, lines };
  }

  test('`fail` keeps the old file', async () => {
    const { made, lines } = await addAgain('fail');
    expect(lines).toEqual(['failed EXISTS']);
    expect(await made.text('report.pdf')).toBe('old');
  });

  test('`skip` keeps the old file', async () => {
    const { made, lines } = await addAgain('skip');
    expect(lines).toEqual(['skipped exists']);
    expect(await made.text('report.pdf')).toBe('old');
  });

  test('`rename` keeps both', async () => {
    const { made, lines } = await addAgain('rename');
    expect(lines).toEqual(['added report (2).pdf']);
    await all(made.vault.addPaths([made.source('report.pdf', 'newer')], { onConflict: 'rename' }));
    expect(made.paths()).toEqual(['report (2).pdf', 'report (3).pdf', 'report.pdf']);
    expect(await made.text('report.pdf')).toBe('old');
  });

  test('`replace` leaves only the new file, sealed or not', async () => {
    const { made, lines } = await addAgain('replace');
    expect(lines).toEqual(['added report.pdf']);
    expect(await made.text('report.pdf')).toBe('new');
    await all(
      made.vault.addPaths([made.source('report.pdf', new Uint8Array(200_000))], { onConflict: 'replace' }),
    );
    await all(
      made.vault.addPaths([made.source('report.pdf', new Uint8Array(300_000))], { onConflict: 'replace' }),
    );
    expect(made.vault.status()).toMatchObject({ files: 1, sizeBytes: 300_000, sealedFiles: 1 });
  });

  test('`replace` keeps the tags of what it replaces, and adds its own', async () => {
    const { made } = await addAgain('replace');
    made.vault.tag('report.pdf', { add: ['paid', 'kept'] });
    const paths = [made.source('report.pdf', 'newer')];
    const [event] = await all(made.vault.addPaths(paths, { onConflict: 'replace', tags: ['kept', '2026'] }));
    expect(event).toMatchObject({ type: 'added', file: { tags: ['2026', 'kept', 'paid'] } });
    expect(made.vault.list().files).toMatchObject([{ path: 'report.pdf', tags: ['2026', 'kept', 'paid'] }]);
  });

  test('by a folder, the file is refused, and a folder by a file', async () => {
    const made = await TestVault.create();
    await made.put('docs/a.txt');
    await made.put('notes');
    for (const onConflict of ['fail', 'replace'] as const) {
      expect(brief(await all(made.vault.addPaths([made.source('docs')], { onConflict })))).toEqual([
        'failed EXISTS',
      ]);
      expect(
        brief(await all(made.vault.addPaths([made.source('x')], { onConflict, folder: 'notes/deep' }))),
      ).toEqual(['failed EXISTS']);
    }
    expect(brief(await all(made.vault.addPaths([made.source('docs')], { onConflict: 'rename' })))).toEqual([
      'added docs (2)',
    ]);
  });
});
