import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toLocalName } from '../../src/files/local-path.ts';
import type { GetEvent } from '../../src/index.ts';
import { TestVault, all } from './test-vault.ts';

function briefly(events: readonly GetEvent[]): string[] {
  return events.map((event) =>
    event.type === 'restored' ? `restored ${event.file.path}` : `failed ${event.error.code}`,
  );
}

describe('restoring', () => {
  test('a file to a folder, with its name and modification time', async () => {
    const made = await TestVault.create();
    const source = made.source('a.txt', 'hello');
    utimesSync(source, new Date('2020-02-02T02:02:02Z'), new Date('2020-02-02T02:02:02Z'));
    await all(made.vault.addPaths([source]));
    mkdirSync(made.path('out'));
    const events = await all(made.vault.getPaths(['a.txt'], { destination: made.path('out') }));
    expect(events).toMatchObject([{ type: 'restored', destination: made.path('out', 'a.txt') }]);
    expect(readFileSync(made.path('out', 'a.txt'), 'utf8')).toBe('hello');
    expect(statSync(made.path('out', 'a.txt')).mtime.toISOString()).toBe('2020-02-02T02:02:02.000Z');
    // As any program would have made it.
    expect(statSync(made.path('out', 'a.txt')).mode).toBe(statSync(source).mode);
  });

  test('a file to a path of another name', async () => {
    const made = await TestVault.create();
    await made.put('a.txt', 'hello');
    await all(made.vault.getPaths(['a.txt'], { destination: made.path('other.txt') }));
    expect(readFileSync(made.path('other.txt'), 'utf8')).toBe('hello');
  });

  test('for another process: from its folder, with its mask', async () => {
    const made = await TestVault.create();
    await made.put('album/a.txt', 'hello');
    mkdirSync(made.path('theirs'));
    const options = { cwd: made.path('theirs'), umask: 0o027, destination: 'deep/out' };
    expect(await all(made.vault.getPaths(['album'], options))).toMatchObject([
      { type: 'restored', destination: 'deep/out/album/a.txt' },
    ]);
    const modeOf = (path: string): number => statSync(made.path('theirs', path)).mode & 0o7777;
    expect(['deep', 'deep/out', 'deep/out/album', 'deep/out/album/a.txt'].map(modeOf)).toEqual([
      0o750, 0o750, 0o750, 0o640,
    ]);
  });

  test('a folder with its tree, and everything with `/`', async () => {
    const made = await TestVault.create();
    for (const path of ['x/album/one.txt', 'x/album/deep/two.txt', 'three.txt']) await made.put(path);
    await all(made.vault.getPaths(['x/album'], { destination: made.path('out') }));
    expect(readdirSync(made.path('out'), { recursive: true }).sort()).toEqual([
      'album',
      'album/deep',
      'album/deep/two.txt',
      'album/one.txt',
    ]);
    await all(made.vault.getPaths(['/'], { destination: made.path('whole') }));
    expect(readFileSync(made.path('whole/x/album/deep/two.txt'), 'utf8')).toBe('x/album/deep/two.txt');
    expect(readFileSync(made.path('whole/three.txt'), 'utf8')).toBe('three.txt');
  });

  test('what exists is kept, and replaced with `force`', async () => {
    const made = await TestVault.create();
    await made.put('a.txt', 'new');
    writeFileSync(made.path('a.txt'), 'mine');
    const options = { destination: made.path('a.txt') };
    expect(briefly(await all(made.vault.getPaths(['a.txt'], options)))).toEqual(['failed EXISTS']);
    expect(readFileSync(made.path('a.txt'), 'utf8')).toBe('mine');
    expect(briefly(await all(made.vault.getPaths(['a.txt'], { ...options, force: true })))).toEqual([
      'restored a.txt',
    ]);
    expect(readFileSync(made.path('a.txt'), 'utf8')).toBe('new');
  });

  test('several items need a folder', async () => {
    const made = await TestVault.create();
    await made.put('a');
    await made.put('b');
    writeFileSync(made.path('file'), 'x');
    await expect(
      all(made.vault.getPaths(['a', 'b'], { destination: made.path('file') })),
    ).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    expect(
      briefly(await all(made.vault.getPaths(['a', 'nothing', 'b'], { destination: made.path('new') }))),
    ).toEqual(['failed NOT_FOUND', 'restored a', 'restored b']);
  });

  test('into a folder that does not exist is refused for one file', async () => {
    const made = await TestVault.create();
    await made.put('a');
    const events = await all(made.vault.getPaths(['a'], { destination: made.path('no', 'such', 'a') }));
    expect(briefly(events)).toEqual(['failed NOT_FOUND']);
  });

  test('a damaged file fails by name, nothing appears, and the others go on', async () => {
    const made = await TestVault.create();
    const id = await made.put('big', new Uint8Array(300_000));
    await made.put('small');
    const path = join(made.directory, 'files', `${id}.enc`);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(200_000) ^ 1, 200_000);
    writeFileSync(path, bytes);
    const events = await all(made.vault.getPaths(['big', 'small'], { destination: made.path('out') }));
    expect(briefly(events)).toEqual(['failed DAMAGED', 'restored small']);
    expect(readdirSync(made.path('out'))).toEqual(['small']);
  });
});

describe('nothing leaves the destination', () => {
  test('through a link among its folders', async () => {
    const made = await TestVault.create();
    await made.put('album/a.txt');
    mkdirSync(made.path('out'));
    mkdirSync(made.path('elsewhere'));
    symlinkSync(made.path('elsewhere'), made.path('out', 'album'));
    const events = await all(made.vault.getPaths(['album'], { destination: made.path('out') }));
    expect(briefly(events)).toEqual(['failed EXISTS']);
    expect(readdirSync(made.path('elsewhere'))).toEqual([]);
  });

  test('over a link in the place of the file, which is replaced, not followed', async () => {
    const made = await TestVault.create();
    await made.put('a.txt', 'new');
    mkdirSync(made.path('out'));
    writeFileSync(made.path('victim'), 'mine');
    symlinkSync(made.path('victim'), made.path('out', 'a.txt'));
    expect(briefly(await all(made.vault.getPaths(['a.txt'], { destination: made.path('out') })))).toEqual([
      'failed EXISTS',
    ]);
    await all(made.vault.getPaths(['a.txt'], { destination: made.path('out'), force: true }));
    expect(readFileSync(made.path('victim'), 'utf8')).toBe('mine');
    expect(readFileSync(made.path('out', 'a.txt'), 'utf8')).toBe('new');
  });

  test('into the vault’s own folder', async () => {
    const made = await TestVault.create();
    await made.put('a.txt');
    const getting = all(
      made.vault.getPaths(['a.txt'], { destination: join(made.directory, 'data.db'), force: true }),
    );
    await expect(getting).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(existsSync(join(made.directory, 'a.txt'))).toBe(false);
  });

  test.each([
    ['../../etc/passwd', /^invalid$/],
    ['..', /^invalid$/],
    ['a\\..\\b', /^a_\.\._b$/],
    ['C:evil', /^C_evil$/],
    ['file:stream', /^file_stream$/],
    ['CON', /^_CON$/],
    ['nul.txt', /^_nul\.txt$/],
    ['COM¹', /^_COM¹$/],
    ['name. .', /^name___$/],
    ['tab\there', /^tab_here$/],
  ])('by the name %j on Windows', (name, expected) => {
    expect(localOr(name, 'win32')).toMatch(expected);
  });

  test('by any name on Windows: no separator, colon, device, dot or space at the end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (name) => {
        const local = localOr(name, 'win32');
        expect(local).not.toMatch(/[<>:"/\\|?*\0]/);
        expect(local).not.toMatch(/[. ]$/);
        expect(local).not.toMatch(/^(con|nul|aux|prn|com\d|lpt\d)(\.|$)/i);
        expect(local).not.toBe('');
      }),
      { numRuns: 1_000 },
    );
  });
});

function localOr(name: string, platform: NodeJS.Platform): string {
  try {
    return toLocalName(name, platform);
  } catch {
    return 'invalid';
  }
}
