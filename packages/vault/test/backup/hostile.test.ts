import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { checkRestore, openVault, restoreVault } from '../../src/index.ts';
import type { RestoreOptions } from '../../src/index.ts';
import { TestVault, all } from '../vault/test-vault.ts';

const LARGE = new Uint8Array(400_000).fill(7);

interface Interrupted {
  readonly made: TestVault;
  readonly source: string;
  readonly commit: string;
  readonly options: RestoreOptions;
  /** The path of the backup's sealed file. */
  readonly sealed: string;
}

/** A backup, and beside it what another one is finished from, with nothing in it yet. */
async function interrupted(): Promise<Interrupted> {
  const made = await TestVault.create();
  await made.put('large', LARGE);
  const source = made.path('backup');
  await all(made.vault.backup(source));
  const commit = join(source, 'backup.commit');
  mkdirSync(commit);
  writeFileSync(join(commit, 'data.db'), readFileSync(join(source, 'data.db')));
  const [name = ''] = readdirSync(join(source, 'files'));
  const options = { source, directory: made.path('restored'), secret: made.secret };
  return { made, source, commit, options, sealed: join(source, 'files', name) };
}

function idOf(path: string): string {
  return /[0-9a-f]{32}/.exec(path)?.[0] ?? '';
}

describe('what a backup is to be finished from, damaged, is refused by name before anything is changed', () => {
  const damages: readonly (readonly [string, string, (path: string) => void])[] = [
    [
      'headers',
      'a line without an end, larger than any memory',
      (path): void => {
        writeFileSync(path, '');
        truncateSync(path, 3 * 1024 ** 3);
      },
    ],
    [
      'removed',
      'a line without an end, larger than any memory',
      (path): void => {
        writeFileSync(path, '');
        truncateSync(path, 3 * 1024 ** 3);
      },
    ],
    [
      'headers',
      'a line that is no header',
      (path): void => {
        writeFileSync(path, `${'0'.repeat(32)} 0 -\n`);
      },
    ],
    [
      'headers',
      'a last line that is cut off',
      (path): void => {
        writeFileSync(path, `${'0'.repeat(32)} 01 -`);
      },
    ],
    [
      'removed',
      'a path',
      (path): void => {
        writeFileSync(path, '../../../etc/passwd\n');
      },
    ],
    [
      'removed',
      'bytes that are no text',
      (path): void => {
        writeFileSync(path, Buffer.alloc(32, 0xff));
      },
    ],
    [
      'headers',
      'a link to a device that never ends',
      (path): void => {
        symlinkSync('/dev/zero', path);
      },
    ],
    [
      'removed',
      'a FIFO',
      (path): void => {
        execFileSync('mkfifo', [path]);
      },
    ],
    [
      'vault.json',
      'something else',
      (path): void => {
        writeFileSync(path, '{}');
      },
    ],
    [
      'vault.json',
      'larger than any memory',
      (path): void => {
        writeFileSync(path, '');
        truncateSync(path, 3 * 1024 ** 3);
      },
    ],
    [
      'backup.json',
      'something else',
      (path): void => {
        writeFileSync(path, '{}');
      },
    ],
    [
      'data.db',
      'a folder',
      (path): void => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
    [
      'data.db.reserve',
      'a link',
      (path): void => {
        symlinkSync('/dev/zero', path);
      },
    ],
    [
      'data.db.reserve',
      'a folder',
      (path): void => {
        mkdirSync(path);
      },
    ],
    [
      'backup.json',
      'a link',
      (path): void => {
        symlinkSync('/dev/zero', path);
      },
    ],
  ];
  test.each(damages)('%s: %s', async (name, _what, damage) => {
    const { made, source, commit, options, sealed } = await interrupted();
    const before = readFileSync(sealed);
    // What comes first in being finished.
    mkdirSync(join(commit, 'files'));
    writeFileSync(join(commit, 'files', `${idOf(sealed)}.enc`), 'x');
    damage(join(commit, name));
    const refused = {
      code: 'DAMAGED',
      message: expect.stringContaining(join(commit, name)) as string,
      hint: expect.stringContaining('the backup before') as string,
    };
    await expect(checkRestore(options)).rejects.toMatchObject(refused);
    await expect(openVault({ directory: source, secret: made.secret })).rejects.toMatchObject(refused);
    await expect(all(made.vault.backup(source))).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(readFileSync(sealed)).toEqual(before);
    // What the hint says.
    renameSync(commit, made.path('elsewhere'));
    expect((await all(restoreVault(options))).at(-1)).toMatchObject({ findings: 0, files: 1 });
  });

  test('in no more memory than a line takes', async () => {
    const { commit, options } = await interrupted();
    writeFileSync(join(commit, 'removed'), '');
    truncateSync(join(commit, 'removed'), 600 * 1024 ** 2);
    const beforeKiB = process.resourceUsage().maxRSS;
    await expect(checkRestore(options)).rejects.toMatchObject({ code: 'DAMAGED' });
    expect(process.resourceUsage().maxRSS - beforeKiB).toBeLessThan(64 * 1024);
  });
});

describe('finishing a backup touches nothing outside of it', () => {
  test('a header is not written through a link', async () => {
    const { made, commit, options, sealed } = await interrupted();
    const outside = made.path('outside');
    writeFileSync(outside, Buffer.alloc(10_000, 'x'));
    renameSync(sealed, made.path('moved'));
    symlinkSync(outside, sealed);
    writeFileSync(join(commit, 'headers'), `${idOf(sealed)} 0102 -\n`);
    await all(restoreVault(options));
    expect(readFileSync(outside).every((byte) => byte === 0x78)).toBe(true);
  });

  test.each(['files', 'backup.commit/files', 'backup.commit'])(
    'another folder behind a link is left alone: %s',
    async (name) => {
      const { made, source, commit, options, sealed } = await interrupted();
      const victim = made.path('victim');
      mkdirSync(victim);
      const kept = join(victim, `${idOf(sealed)}.enc`);
      writeFileSync(kept, Buffer.alloc(10_000, 'x'));
      writeFileSync(join(commit, 'removed'), `${idOf(sealed)}\n`);
      const link = join(source, name);
      if (existsSync(link)) renameSync(link, name === 'backup.commit' ? made.path('real') : made.path('old'));
      symlinkSync(name === 'backup.commit' ? made.path('real') : victim, link);
      await expect(all(restoreVault(options))).rejects.toMatchObject({
        code: 'DAMAGED',
        message: expect.stringContaining(link) as string,
      });
      expect(readFileSync(kept).every((byte) => byte === 0x78)).toBe(true);
    },
  );
});

test.each(['a FIFO', 'a link to a device that never ends'])(
  'a database that is %s is refused, and not waited for',
  async (what) => {
    const { commit, source, options } = await interrupted();
    renameSync(commit, `${commit}.gone`);
    const path = join(source, 'data.db');
    renameSync(path, `${path}.old`);
    if (what === 'a FIFO') execFileSync('mkfifo', [path]);
    else symlinkSync('/dev/zero', path);
    await expect(all(restoreVault(options))).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining(path) as string,
    });
  },
);

test('a folder in the place of the copy of the salt keeps no backup from being finished, made again and restored', async () => {
  const { made, source, commit, options } = await interrupted();
  const place = join(source, 'data.db.reserve');
  rmSync(place);
  mkdirSync(place);
  writeFileSync(join(place, 'of somebody'), 'else');
  writeFileSync(join(commit, 'data.db.reserve'), readFileSync(join(source, 'data.db')).subarray(0, 16));
  await checkRestore(options);
  expect(existsSync(commit)).toBe(false);
  await made.put('later', LARGE);
  await all(made.vault.backup(source));
  expect((await all(restoreVault(options))).at(-1)).toMatchObject({ type: 'summary', files: 2, findings: 0 });
  expect(readdirSync(place)).toEqual(['of somebody']);
});
