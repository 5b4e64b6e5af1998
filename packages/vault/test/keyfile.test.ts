import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VaultError } from '../src/errors.ts';
import { createKeyfile, encodeKeyfile, parseKeyfile, readKeyfile } from '../src/keyfile.ts';
import { TestFolder, onPosix } from './support.ts';
import { keyfileVectors } from './vault-file/vectors.ts';

describe('createKeyfile', () => {
  onPosix('makes a text file that says what it is, for the owner alone', async () => {
    await using folder = await TestFolder.make();
    const path = folder.join('key');
    await createKeyfile(path);
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(/^# Coffer keyfile\. .*\n# .*\ncoffer-keyfile-v1:[0-9a-f]{64}:[0-9a-f]{16}\n$/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('what it made is read, without warnings, and no two are the same', async () => {
    await using folder = await TestFolder.make();
    await createKeyfile(folder.join('a'));
    await createKeyfile(folder.join('b'));
    const a = await readKeyfile(folder.join('a'));
    expect(a).toMatchObject({ key: { length: 32 }, warnings: [] });
    expect((await readKeyfile(folder.join('b'))).key).not.toEqual(a.key);
  });

  onPosix('never overwrites, not even through a link that leads nowhere', async () => {
    await using folder = await TestFolder.make();
    await writeFile(folder.join('taken'), 'mine');
    await symlink(folder.join('nowhere'), folder.join('link'));
    for (const name of ['taken', 'link']) {
      await expect(createKeyfile(folder.join(name))).rejects.toMatchObject({ code: 'EXISTS' });
    }
    expect(await readFile(folder.join('taken'), 'utf8')).toBe('mine');
    await expect(stat(folder.join('nowhere'))).rejects.toThrow();
  });

  test('says that the folder is not there', async () => {
    await using folder = await TestFolder.make();
    await expect(createKeyfile(folder.join('no', 'key'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  onPosix('refuses to put it into the folder of the vault, by whatever way', async () => {
    await using folder = await TestFolder.make();
    const outside = folder.join('vault');
    await mkdir(folder.join('vault', 'sub'), { recursive: true });
    await symlink(outside, folder.join('link'));
    for (const path of [
      ['vault', 'key'],
      ['vault', 'sub', 'key'],
      ['link', 'key'],
      ['vault', 'no', '..', 'key'],
    ]) {
      await expect(createKeyfile(folder.join(...path), { outside })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
    await createKeyfile(folder.join('vault-key'), { outside });
  });
});

describe('readKeyfile', () => {
  test.each(keyfileVectors)('vector: $name', async ({ text, keyHex, code }) => {
    await using folder = await TestFolder.make();
    const path = folder.join('key');
    await writeFile(path, Buffer.from(text, 'latin1'), { mode: 0o600 });
    const read = readKeyfile(path);
    if (code !== undefined) await expect(read).rejects.toMatchObject({ name: 'VaultError', code });
    else expect(Buffer.from((await read).key).toString('hex')).toBe(keyHex);
  });

  onPosix('warns that others can read it', async () => {
    await using folder = await TestFolder.make();
    await createKeyfile(folder.join('key'));
    await chmod(folder.join('key'), 0o640);
    const { warnings } = await readKeyfile(folder.join('key'));
    expect(warnings).toEqual([expect.stringContaining('mode is 0640')]);
  });

  onPosix('follows a link, and refuses a folder and what is not there', async () => {
    await using folder = await TestFolder.make();
    await createKeyfile(folder.join('key'));
    await symlink(folder.join('key'), folder.join('link'));
    expect((await readKeyfile(folder.join('link'))).key).toHaveLength(32);
    await expect(readKeyfile(folder.path)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await expect(readKeyfile(folder.join('none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  onPosix('never waits for a FIFO', async () => {
    await using folder = await TestFolder.make();
    expect(spawnSync('mkfifo', [folder.join('fifo')]).status).toBe(0);
    await expect(readKeyfile(folder.join('fifo'))).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('a single changed digit is noticed, and errors quote nothing of the file', () => {
    const key = new Uint8Array(32).map((_, index) => index * 7);
    const text = Buffer.from(encodeKeyfile(key)).toString();
    const digitsAt = text.indexOf('-v1:') + '-v1:'.length;
    fc.assert(
      fc.property(
        fc.integer({ min: digitsAt, max: text.length - 2 }),
        fc.constantFrom(...'0123456789abcdef'.split('')),
        (at, digit) => {
          fc.pre(text[at] !== ':' && text[at] !== digit);
          const changed = Buffer.from(`${text.slice(0, at)}${digit}${text.slice(at + 1)}`);
          expect(() => parseKeyfile(changed, 'key')).toThrow(/^the keyfile key is damaged$/);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('any bytes are a key of 32 bytes or a VaultError', () => {
    const line = fc.stringMatching(/^(coffer-keyfile-v[0-9]{0,2}:[0-9a-f]{0,65}:[0-9a-f]{0,17}|#.*|\s*)$/);
    const text = fc.array(line, { maxLength: 4 }).map((lines) => new TextEncoder().encode(lines.join('\n')));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), text), (bytes) => {
        try {
          expect(parseKeyfile(bytes, 'key')).toHaveLength(32);
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
