import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLines } from '../support/run-main.ts';
import { TestVault } from '../support/test-vault.ts';

let vault: TestVault;
beforeAll(async () => {
  vault = await TestVault.create();
  mkdirSync(vault.path('photos', 'sea'), { recursive: true });
  writeFileSync(vault.path('photos', 'beach.txt'), 'sand');
  writeFileSync(vault.path('photos', 'sea', 'large.bin'), Buffer.alloc(300_000, 7));
  writeFileSync(vault.path('letter.txt'), 'Dear Sir or Madam');
  utimesSync(vault.path('letter.txt'), 1_700_000_000, 1_700_000_000);
});
afterAll(() => {
  vault[Symbol.dispose]();
});

describe('add', () => {
  test('prints the path of every file, and the total on stderr', async () => {
    const { code, stdout, stderr } = await vault.run(['add', '-r', vault.path('photos'), '--tag', 'summer']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').toSorted()).toEqual(['photos/beach.txt', 'photos/sea/large.bin']);
    expect(stderr).toMatch(/^Added 2 files, 300 kB, in [\d.]+ s\.\n$/);
  });

  test('writes file objects and a summary with --json', async () => {
    const [file, summary] = await vault.json(['add', vault.path('letter.txt'), '--folder', 'papers']);
    expect(file).toMatchObject({
      v: 1,
      type: 'file',
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      name: 'letter.txt',
      folder: 'papers',
      path: 'papers/letter.txt',
      sizeBytes: 17,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      mimeType: 'text/plain',
      placement: 'blob',
      createdAtMs: expect.any(Number) as number,
      tags: [],
      source: vault.path('letter.txt'),
    });
    expect(summary).toMatchObject({
      v: 1,
      type: 'summary',
      command: 'add',
      added: 1,
      failed: 0,
      sizeBytes: 17,
    });
  });

  test('takes stdin under a name', async () => {
    const { code, stdout } = await vault.run(['add', '-', '--name', 'piped.txt'], { input: 'from a pipe' });
    expect([code, stdout]).toEqual([0, 'piped.txt\n']);
    expect((await vault.run(['cat', 'piped.txt'])).stdout).toBe('from a pipe');
  });

  test('says with -n what it would add, and adds nothing', async () => {
    const { code, stdout, stderr } = await vault.run([
      'add',
      '-n',
      vault.path('letter.txt'),
      '--name',
      'planned.txt',
    ]);
    expect([code, stdout]).toEqual([0, 'planned.txt\n']);
    expect(stderr).toContain('Would add 1 file, 17 B.');
    expect((await vault.run(['info', 'planned.txt'])).code).toBe(15);
    const [planned] = await vault.json(['add', '-n', vault.path('letter.txt'), '--name', 'planned.txt']);
    expect(planned).toEqual({
      v: 1,
      type: 'file',
      planned: true,
      source: vault.path('letter.txt'),
      path: 'planned.txt',
      sizeBytes: 17,
    });
  });

  test('names a link and skips it, with exit 3', async () => {
    symlinkSync(vault.path('letter.txt'), vault.path('link.txt'));
    const one = await vault.run(['add', vault.path('link.txt')]);
    expect(one.code).toBe(3);
    expect(one.stderr).toContain(`coffer: error: ${vault.path('link.txt')}: a symbolic link, not added`);
    const json = await vault.run(['add', vault.path('link.txt'), '--json']);
    expect(parseLines(json.stderr)[0]).toMatchObject({
      type: 'error',
      code: 'SKIPPED',
      item: vault.path('link.txt'),
      exitCode: 3,
    });
  });

  test('refuses a folder without -r as a usage error', async () => {
    const { code, stderr } = await vault.run(['add', vault.path('photos')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('not added without -r') as string]);
  });

  test.each([
    ['fail', 16, 'Dear Sir or Madam'],
    ['skip', 0, 'Dear Sir or Madam'],
    ['replace', 0, 'new content'],
  ])('--on-conflict %s exits %d', async (policy, exit, content) => {
    await vault.run(['add', vault.path('letter.txt'), '--name', `conflict-${policy}`]);
    const { code } = await vault.run(['add', '-', '--name', `conflict-${policy}`, '--on-conflict', policy], {
      input: 'new content',
    });
    expect(code).toBe(exit);
    expect((await vault.run(['cat', `conflict-${policy}`])).stdout).toBe(content);
  });

  test('--on-conflict rename keeps both', async () => {
    await vault.put('both.txt', 'one');
    const { code, stdout } = await vault.run(['add', '-', '--name', 'both.txt', '--on-conflict', 'rename'], {
      input: 'two',
    });
    expect(code).toBe(0);
    expect(stdout).not.toBe('both.txt\n');
    expect((await vault.run(['cat', stdout.trimEnd()])).stdout).toBe('two');
  });

  test('goes on after a source that fails, and exits 3', async () => {
    const { code, stdout, stderr } = await vault.run([
      'add',
      vault.path('none'),
      vault.path('letter.txt'),
      '--folder',
      'some',
    ]);
    expect([code, stdout]).toEqual([3, 'some/letter.txt\n']);
    expect(stderr).toContain(vault.path('none'));
  });

  test('-q prints nothing when all is well', async () => {
    const { stdout, stderr } = await vault.run([
      'add',
      '-q',
      vault.path('letter.txt'),
      '--name',
      'quiet.txt',
    ]);
    expect([stdout, stderr]).toEqual(['', '']);
  });

  test('--progress json reports how it ended', async () => {
    const { stderr } = await vault.run([
      'add',
      vault.path('letter.txt'),
      '--name',
      'progress.txt',
      '--progress',
      'json',
      '-q',
    ]);
    expect(parseLines(stderr).at(-1)).toMatchObject({
      v: 1,
      type: 'progress',
      command: 'add',
      bytesDone: 17,
      filesDone: 1,
    });
  });
});

describe('ls and find', () => {
  test('ls lists folders first, one a line in a pipe', async () => {
    const { stdout } = await vault.run(['ls']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual(['papers/', 'photos/']);
    expect(lines).toContain('piped.txt');
    expect((await vault.run(['ls', 'photos'])).stdout).toBe('sea/\nbeach.txt\n');
  });

  test('ls fills columns on a terminal', async () => {
    const { stdout } = await vault.run(['ls', 'photos', '--color', 'never'], { columns: 80 });
    expect(stdout).toBe('sea/  beach.txt\n');
  });

  test('ls -r and conditions give whole paths from all folders below', async () => {
    expect((await vault.run(['ls', '-r', 'photos'])).stdout).toBe('photos/beach.txt\nphotos/sea/large.bin\n');
    expect((await vault.run(['ls', '--tag', 'summer'])).stdout).toBe(
      'photos/beach.txt\nphotos/sea/large.bin\n',
    );
    expect((await vault.run(['ls', 'photos', '--since', '2w', '--type', 'application/*'])).stdout).toBe(
      'photos/sea/large.bin\n',
    );
  });

  test('ls sorts by size, largest first, and --reverse turns it round', async () => {
    const order = async (...args: string[]) =>
      (await vault.run(['ls', '-r', 'photos', '--sort', 'size', ...args])).stdout.trimEnd().split('\n');
    expect(await order()).toEqual(['photos/sea/large.bin', 'photos/beach.txt']);
    expect(await order('--reverse')).toEqual(['photos/beach.txt', 'photos/sea/large.bin']);
  });

  test('ls -l is tabs, bytes and ISO dates in a pipe, columns on a terminal', async () => {
    const piped = (await vault.run(['ls', '-l', 'papers'])).stdout;
    expect(piped).toMatch(/^[0-9a-f]{32}\t17\t2023-11-14T22:13:20Z\ttext\/plain\tletter\.txt\t\n$/);
    const [beach] = await vault.json(['info', 'photos/beach.txt']);
    // It is today still, also when it is midnight by now.
    const options = { columns: 80, nowMs: Number(beach?.['modifiedAtMs']) };
    const shown = (await vault.run(['ls', '-l', 'photos', '--color', 'never'], options)).stdout.split('\n');
    expect(shown[0]).toMatch(/^ +300 kB +1 file +folder +sea\/$/);
    expect(shown[1]).toMatch(/^[0-9a-f]{8} +4 B +today \d\d:\d\d +text\/plain +beach\.txt #summer$/);
  });

  test('get of nothing that is there exits 15, whatever is in the place where it would go', async () => {
    writeFileSync(vault.path('in-the-way'), 'kept');
    const { code, stderr } = await vault.run(['get', 'nowhere', '-o', vault.path('in-the-way')]);
    expect([code, stderr]).toEqual([15, expect.not.stringContaining('not a folder') as string]);
    expect(readFileSync(vault.path('in-the-way'), 'utf8')).toBe('kept');
  });

  test('ls of a file lists it, ls of nothing that is there exits 15', async () => {
    expect((await vault.run(['ls', 'photos/beach.txt'])).stdout).toBe('beach.txt\n');
    expect((await vault.run(['ls', 'nowhere'])).code).toBe(15);
  });

  test('ls --json gives folders, files and a summary', async () => {
    expect(await vault.json(['ls', 'photos'])).toEqual([
      { v: 1, type: 'folder', path: 'photos/sea', name: 'sea', fileCount: 1, sizeBytes: 300_000 },
      expect.objectContaining({ type: 'file', path: 'photos/beach.txt', tags: ['summer'] }),
      { v: 1, type: 'summary', command: 'ls', folders: 1, files: 1, sizeBytes: 4, failed: 0 },
    ]);
  });

  test('find looks for parts of names and tags, sizes and types', async () => {
    expect((await vault.run(['find', 'LARGE'])).stdout).toBe('photos/sea/large.bin\n');
    expect((await vault.run(['find', 'summ', '--max-size', '1kB'])).stdout).toBe('photos/beach.txt\n');
    expect((await vault.run(['find', '--min-size', '200kB', '-0'])).stdout).toBe('photos/sea/large.bin\0');
    expect(await vault.json(['find', 'beach', '--folder', 'photos'])).toMatchObject([
      { type: 'file', name: 'beach.txt' },
      { type: 'summary', command: 'find', files: 1 },
    ]);
  });

  test('finding nothing is no error', async () => {
    expect(await vault.run(['find', 'no such thing'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});

describe('info', () => {
  test('of a file', async () => {
    const { stdout } = await vault.run(['info', 'papers/letter.txt']);
    expect(stdout).toMatch(/^path +papers\/letter\.txt$/m);
    expect(stdout).toMatch(/^size +17 bytes$/m);
    // East of Greenwich it was the day after.
    const day = String(new Date('2023-11-14T22:13:20Z').getDate());
    expect(stdout).toMatch(new RegExp(`^modified +2023-11-14T22:13:20Z \\(${day} Nov 2023\\)$`, 'm'));
  });

  test('of a folder', async () => {
    expect((await vault.run(['info', 'photos'])).stdout).toMatch(
      /^holds +2 files, 300 kB \(300,004 bytes\)$/m,
    );
    expect(await vault.json(['info', 'photos/sea'])).toEqual([
      { v: 1, type: 'folder', path: 'photos/sea', name: 'sea', fileCount: 1, sizeBytes: 300_000 },
    ]);
  });

  test('by the beginning of an id', async () => {
    const [file] = await vault.json(['info', 'photos/beach.txt']);
    const id = String(file?.['id']);
    expect(await vault.json(['info', `id:${id.slice(0, 8)}`])).toEqual([file]);
  });
});

describe('add --sha256', () => {
  const HASH = createHash('sha256').update('what it is').digest('hex');

  test('takes what has that hash, from stdin or a file, and nothing else', async () => {
    const good = await vault.run(['add', '-', '--name', 'hashed', '--sha256', HASH], { input: 'what it is' });
    expect([good.code, good.stdout]).toEqual([0, 'hashed\n']);
    const args = ['--name', 'hashed', '--on-conflict', 'replace', '--sha256', HASH];
    const bad = await vault.run(['add', '-', ...args], { input: 'what it' });
    expect([bad.code, bad.stderr]).toEqual([14, expect.stringContaining('SHA-256') as string]);
    writeFileSync(vault.path('hashed.txt'), 'what it is no more');
    expect((await vault.run(['add', vault.path('hashed.txt'), ...args])).code).toBe(14);
    expect((await vault.run(['cat', 'hashed'])).stdout).toBe('what it is');
    writeFileSync(vault.path('hashed.txt'), 'what it is');
    expect((await vault.run(['add', vault.path('hashed.txt'), ...args.toSpliced(4, 0, '-q')])).code).toBe(0);
  });

  test('is 64 hex digits, and of one file', async () => {
    const wrong = await vault.run(['add', '-', '--name', 'x', '--sha256', 'abc'], { input: 'x' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('64 hex digits') as string]);
    const path = vault.path('letter.txt');
    expect((await vault.run(['add', path, path, '--sha256', HASH])).code).toBe(2);
  });
});

describe('get and cat', () => {
  test('get -o - writes one file to stdout, as cat does, and - is no file anywhere', async () => {
    const cwd = process.cwd();
    const { code, stdout, stderr } = await vault.run(['get', 'papers/letter.txt', '-o', '-']);
    expect([code, stdout, stderr]).toEqual([0, (await vault.run(['cat', 'papers/letter.txt'])).stdout, '']);
    for (const args of [
      ['get', 'papers/letter.txt', 'photos/sea/large.bin', '-o', '-'],
      ['get', 'papers', '-o', '-'],
    ]) {
      const refused = await vault.run(args);
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([
        2,
        '',
        expect.stringContaining('stdout takes one file') as string,
      ]);
    }
    for (const args of [
      ['export', '-'],
      ['backup', '-'],
      ['key', 'add', '--new-keyfile', '-'],
      ['key', 'recovery', '--new-recovery-code-file', '-'],
    ]) {
      const refused = await vault.run(args);
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining("can't be written to stdout") as string,
      ]);
    }
    expect(existsSync(join(cwd, '-'))).toBe(false);
  });

  test('get restores a folder with its times, and says where', async () => {
    mkdirSync(vault.path('out'));
    const { code, stdout } = await vault.run(['get', 'photos', 'papers/letter.txt', '-o', vault.path('out')]);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toContain(vault.path('out', 'photos', 'sea', 'large.bin'));
    expect(readFileSync(vault.path('out', 'photos', 'sea', 'large.bin'))).toEqual(Buffer.alloc(300_000, 7));
    expect(statSync(vault.path('out', 'letter.txt')).mtimeMs).toBe(1_700_000_000_000);
  });

  test('get keeps a file that is there (exit 16) unless --force is given', async () => {
    writeFileSync(vault.path('mine.txt'), 'mine');
    const args = ['get', 'photos/beach.txt', '-o', vault.path('mine.txt')];
    const { code, stderr } = await vault.run(args);
    expect([code, readFileSync(vault.path('mine.txt'), 'utf8')]).toEqual([16, 'mine']);
    expect(stderr).toContain('--force');
    expect((await vault.run([...args, '-f'])).code).toBe(0);
    expect(readFileSync(vault.path('mine.txt'), 'utf8')).toBe('sand');
  });

  test('get writes file objects with their destination with --json', async () => {
    const [file, summary] = await vault.json(['get', 'photos/beach.txt', '-o', vault.path('json.txt')]);
    expect(file).toMatchObject({
      type: 'file',
      path: 'photos/beach.txt',
      destination: vault.path('json.txt'),
    });
    expect(summary).toMatchObject({ type: 'summary', command: 'get', restored: 1, failed: 0, sizeBytes: 4 });
  });

  test.each([
    ['0-3', 'Dear'],
    ['5-7', 'Sir'],
    ['12-', 'Madam'],
    ['-5', 'Madam'],
    ['12-999', 'Madam'],
  ])('cat --range %s', async (range, text) => {
    expect((await vault.run(['cat', 'papers/letter.txt', '--range', range])).stdout).toBe(text);
  });

  test('cat writes content as it is, with --json too', async () => {
    const { bytes, code } = await vault.run(['cat', 'photos/sea/large.bin', '--json']);
    expect([code, bytes.equals(Buffer.alloc(300_000, 7))]).toEqual([0, true]);
  });

  test('cat keeps binary content off a terminal', async () => {
    await vault.put('nul.bin', Buffer.from([1, 0, 2]));
    const { code, stdout, stderr } = await vault.run(['cat', 'nul.bin'], { columns: 80 });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('coffer get');
    expect((await vault.run(['cat', 'nul.bin'])).code).toBe(0);
  });

  test('cat of a folder is a usage error', async () => {
    expect((await vault.run(['cat', 'photos'])).code).toBe(2);
  });
});

describe('mv and tag', () => {
  test('mv renames, moves into a folder, and never replaces', async () => {
    await vault.put('move-me.txt', 'x');
    expect(await vault.run(['mv', 'move-me.txt', 'moved/renamed.txt'])).toMatchObject({
      code: 0,
      stdout: 'moved/renamed.txt\n',
    });
    await vault.put('second.txt', 'y');
    expect((await vault.run(['mv', 'second.txt', 'moved'])).stdout).toBe('moved/second.txt\n');
    expect((await vault.run(['mv', 'moved/second.txt', 'moved/renamed.txt'])).code).toBe(16);
    expect(await vault.json(['mv', 'moved', 'elsewhere'])).toMatchObject([
      { type: 'file', path: 'elsewhere/renamed.txt' },
      { type: 'file', path: 'elsewhere/second.txt' },
      { type: 'summary', command: 'mv', moved: 2 },
    ]);
  });

  test('tag adds, removes and shows', async () => {
    await vault.put('tagged.txt', 'x');
    expect((await vault.run(['tag', 'tagged.txt', 'red', 'blue'])).stdout).toBe('tagged.txt  #blue  #red\n');
    expect((await vault.run(['tag', 'tagged.txt', '--remove', 'red'])).stdout).toBe('tagged.txt  #blue\n');
    expect(await vault.json(['tag', 'tagged.txt'])).toMatchObject([
      { type: 'file', tags: ['blue'] },
      { type: 'summary', command: 'tag', files: 1 },
    ]);
  });
});

test('one thing that fails is one error line, without a total', async () => {
  for (const args of [
    ['get', 'none.txt'],
    ['rm', 'none.txt'],
    ['add', 'none.txt'],
  ]) {
    const { stderr } = await vault.run(args);
    expect(stderr).not.toMatch(/^(Restored|Removed|Added)/m);
  }
});
