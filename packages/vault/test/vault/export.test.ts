import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checksumLine } from '../../src/files/checksum-list.ts';
import type { ExportEvent, ExportOptions } from '../../src/index.ts';
import { onPosix } from '../support.ts';
import { TestVault, all } from './test-vault.ts';

const SHA256SUM = spawnSync('sha256sum', ['--version']).status === 0;

async function exportTo(
  made: TestVault,
  options: Omit<ExportOptions, 'destination'> = {},
  items: readonly string[] = [],
): Promise<ExportEvent[]> {
  return await all(made.vault.exportPaths(items, { destination: made.path('out'), ...options }));
}

function briefly(events: readonly ExportEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'failed') return `failed ${event.error.code} ${event.item}`;
    return event.type === 'checksums'
      ? `checksums ${String(event.files)}`
      : `${event.type} ${event.file.path}`;
  });
}

/** All files below a folder, by path. */
function contentOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path, 'latin1')];
    }),
  );
}

describe('an export', () => {
  onPosix('has every file under its whole path, with its time, in a folder for this user alone', async () => {
    const made = await TestVault.create();
    const source = made.source('a.txt', 'hello');
    utimesSync(source, new Date('2020-02-02T02:02:02Z'), new Date('2020-02-02T02:02:02Z'));
    await all(made.vault.addPaths([source], { folder: 'x/y' }));
    await made.put('x/Ünïcode 🗝.txt', '🗝');
    await made.put('large', 'L'.repeat(150_000));
    await made.put('empty', '');
    const events = await exportTo(made);
    expect(briefly(events)).toEqual([
      'exported empty',
      'exported large',
      'exported x/Ünïcode 🗝.txt',
      'exported x/y/a.txt',
    ]);
    expect(Object.keys(contentOf(made.path('out'))).sort()).toEqual([
      'empty',
      'large',
      'x/y/a.txt',
      'x/Ünïcode 🗝.txt',
    ]);
    expect(statSync(made.path('out/x/y/a.txt')).mtime.toISOString()).toBe('2020-02-02T02:02:02.000Z');
    expect(statSync(made.path('out')).mode & 0o777).toBe(0o700);
  });

  test('of some items keeps their whole paths, and has each file once', async () => {
    const made = await TestVault.create();
    for (const path of ['x/album/one', 'x/album/deep/two', 'x/other', 'three']) await made.put(path);
    const events = await exportTo(made, {}, ['x/album', 'x/album/one', 'nothing', 'three']);
    expect(briefly(events)).toEqual([
      'failed NOT_FOUND nothing',
      'exported x/album/one',
      'exported x/album/deep/two',
      'exported three',
    ]);
    expect(readFileSync(made.path('out/x/album/deep/two'), 'utf8')).toBe('x/album/deep/two');
  });

  test('of items that are all unknown makes no folder', async () => {
    const made = await TestVault.create();
    expect(briefly(await exportTo(made, {}, ['nothing']))).toEqual(['failed NOT_FOUND nothing']);
    expect(existsSync(made.path('out'))).toBe(false);
  });

  test('needs a folder with nothing in it', async () => {
    const made = await TestVault.create();
    await made.put('a');
    mkdirSync(made.path('out'));
    writeFileSync(made.path('out/mine'), 'mine');
    await expect(exportTo(made)).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readdirSync(made.path('out'))).toEqual(['mine']);
    const toFile = all(made.vault.exportPaths([], { destination: made.path('out/mine') }));
    await expect(toFile).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('never goes into the vault’s own folder, not by stored paths either', async () => {
    const made = await TestVault.create();
    const inside = all(made.vault.exportPaths([], { destination: join(made.directory, 'out') }));
    await expect(inside).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await made.put('vault/data.db', 'not a database');
    await made.put('vault/files/x', 'x');
    const above = await all(made.vault.exportPaths([], { destination: made.root, force: true }));
    expect(briefly(above)).toEqual([
      'failed INVALID_INPUT vault/data.db',
      'failed INVALID_INPUT vault/files/x',
    ]);
    await made.reopen();
    expect(made.paths()).toEqual(['vault/data.db', 'vault/files/x']);
    const got = await all(made.vault.getPaths(['/'], { destination: made.root, force: true }));
    expect(got.map((event) => event.type)).toEqual(['failed', 'failed']);
  });

  test('names what is damaged, writes nothing for it, and goes on', async () => {
    const made = await TestVault.create();
    const id = await made.put('big', new Uint8Array(300_000));
    await made.put('small');
    const path = join(made.directory, 'files', `${id}.enc`);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(200_000) ^ 1, 200_000);
    writeFileSync(path, bytes);
    const events = await exportTo(made, { checksums: true });
    expect(briefly(events)).toEqual(['failed DAMAGED big', 'exported small', 'checksums 1']);
    expect(readdirSync(made.path('out')).sort()).toEqual(['SHA256SUMS', 'small']);
  });

  onPosix('does not follow a link in the place of a folder or a file', async () => {
    const made = await TestVault.create();
    await made.put('album/a');
    await made.put('b', 'new');
    mkdirSync(made.path('out'));
    mkdirSync(made.path('elsewhere'));
    symlinkSync(made.path('elsewhere'), made.path('out/album'));
    writeFileSync(made.path('victim'), 'new');
    symlinkSync(made.path('victim'), made.path('out/b'));
    // Even though what the link leads to is the same.
    expect(briefly(await exportTo(made, { skipExisting: true }))).toEqual([
      'failed EXISTS b',
      'failed EXISTS album/a',
    ]);
    expect(readdirSync(made.path('elsewhere'))).toEqual([]);
  });
});

describe('a second export to the same folder', () => {
  test('keeps what is the same, writes what is missing, and refuses what differs', async () => {
    const made = await TestVault.create();
    for (const path of ['a', 'b', 'f/c', 'f/d']) await made.put(path);
    await exportTo(made);
    writeFileSync(made.path('out/a'), 'A');
    writeFileSync(made.path('out/f/c'), 'something longer');
    writeFileSync(made.path('out/f/.coffer-0123456789abcdef.tmp'), 'left by a kill');
    const before = statSync(made.path('out/b')).ino;
    await made.put('e');
    expect(briefly(await exportTo(made, { skipExisting: true }))).toEqual([
      'failed EXISTS a',
      'kept b',
      'exported e',
      'failed EXISTS f/c',
      'kept f/d',
    ]);
    expect(contentOf(made.path('out'))).toEqual({
      a: 'A',
      b: 'b',
      e: 'e',
      'f/c': 'something longer',
      'f/d': 'f/d',
    });
    expect(statSync(made.path('out/b')).ino).toBe(before);
    expect(briefly(await exportTo(made, { skipExisting: true, force: true }))).toEqual([
      'exported a',
      'kept b',
      'kept e',
      'exported f/c',
      'kept f/d',
    ]);
    expect(contentOf(made.path('out'))).toMatchObject({ a: 'a', 'f/c': 'f/c' });
  });

  onPosix('never takes one file for two, as a disk that ignores case would', async () => {
    const made = await TestVault.create();
    await made.put('Name', 'same');
    await made.put('name', 'same');
    mkdirSync(made.path('out'));
    writeFileSync(made.path('out/Name'), 'same');
    linkSync(made.path('out/Name'), made.path('out/name'));
    const events = await exportTo(made, { skipExisting: true });
    expect(briefly(events)).toEqual(['kept Name', 'failed EXISTS name']);
    expect(events).toMatchObject([
      {},
      { error: { message: expect.stringContaining('both names for one') as string } },
    ]);
  });
});

describe('the list of checksums', () => {
  test.skipIf(!SHA256SUM || process.platform === 'win32')(
    'is read by sha256sum, whatever the names (needs sha256sum)',
    async () => {
      const made = await TestVault.create();
      const names = [
        '-',
        '*',
        ' x ',
        '#c',
        'a\\nb',
        'two\nlines',
        'a\rb',
        '\\',
        '\u001B[1m',
        '🗝',
        'SHA256 (x) = y',
      ];
      for (const name of names) {
        await made.put(name);
        await made.put(`f/${name}`);
      }
      const events = await exportTo(made, { checksums: true });
      expect(events.at(-1)).toEqual({
        type: 'checksums',
        destination: made.path('out/SHA256SUMS'),
        files: 2 * names.length,
      });
      const check = (): ReturnType<typeof spawnSync> =>
        spawnSync('sha256sum', ['--strict', '-c', 'SHA256SUMS'], { cwd: made.path('out'), encoding: 'utf8' });
      const { status, stdout } = check();
      expect([status, String(stdout).match(/: OK$/gm)?.length]).toEqual([0, 2 * names.length]);
      writeFileSync(made.path('out', 'a\\nb'), 'changed');
      expect(check().status).toBe(1);
    },
  );

  test('is rewritten by the next export, with what was kept', async () => {
    const made = await TestVault.create();
    await made.put('a');
    await exportTo(made, { checksums: true });
    await made.put('b');
    await exportTo(made, { checksums: true, skipExisting: true });
    const list = readFileSync(made.path('out/SHA256SUMS'), 'utf8');
    expect(list.match(/ {2}\.\/[ab]$/gm)).toEqual(['  ./a', '  ./b']);
  });

  test('does not take the place of a stored file of its name', async () => {
    const made = await TestVault.create();
    await made.put('sha256sums');
    await expect(exportTo(made, { checksums: true })).rejects.toMatchObject({ code: 'EXISTS' });
    await exportTo(made, { skipExisting: true });
    expect(readdirSync(made.path('out'))).toEqual(['sha256sums']);
  });

  test('has the line of GNU coreutils for a name with a backslash', () => {
    const zeros = '0'.repeat(64);
    expect(checksumLine(new Uint8Array(32), 'a\\b\nc')).toBe(`\\${zeros}  ./a\\\\b\\nc`);
    expect(checksumLine(new Uint8Array(32), 'plain')).toBe(`${zeros}  ./plain`);
  });
});

test('an export that is cancelled leaves no list and nothing half-written', async () => {
  const made = await TestVault.create();
  await made.put('a', 'a');
  await made.put('b', new Uint8Array(3_000_000));
  const cancel = new AbortController();
  const running = (async () => {
    const events = made.vault.exportPaths([], {
      destination: made.path('out'),
      checksums: true,
      signal: cancel.signal,
    });
    for await (const event of events) if (event.type === 'exported') cancel.abort();
  })();
  await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  expect(readdirSync(made.path('out'))).toEqual(['a']);
});
