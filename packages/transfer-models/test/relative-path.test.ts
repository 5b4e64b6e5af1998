import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PATH_DEPTH, MAX_PATH_SIZE_BYTES, findPathCollision, parseRelativePath } from '../src/index.ts';
import { expectError, expectParserToHold } from './expect-error.ts';

describe('a path is read as it is', () => {
  test.each([
    'a',
    'photos/2026/beach.jpg',
    'a name with spaces.txt',
    ' leading space',
    '-rf',
    '.hidden',
    '..data',
    'a..b',
    'Acme Inc.',
    'console.log',
    'com10',
    'nulls',
    'aux-in',
    'Screenshot 12:30.png',
    '*?"<>|',
    '👩‍👩‍👧‍👦/🏴󠁧󠁢󠁳󠁣󠁴󠁿.png',
    'café/नमस्ते/日本語.txt',
    'مرحبا.txt',
  ])('%j', (path) => {
    expect(parseRelativePath(path)).toBe(path);
  });
});

describe('a path is refused', () => {
  test.each([
    ['with a part that goes up', ['..', '../x', 'a/../b', 'a/..', 'a/../../etc/passwd']],
    ['with a part that goes nowhere', ['.', './a', 'a/.', 'a/./b']],
    ['with dots and spaces that Windows drops', ['.. ', 'a/... /b', '...', ' ', 'a/ ']],
    ['that is absolute', ['/', '/etc/passwd', '//server/share']],
    ['with an empty part', ['a//b', 'a/', 'a/b/']],
    ['with a backslash', ['a\\b', '..\\x', '\\\\server\\share', 'a/..\\b']],
    ['with a drive letter', ['C:', 'c:/x', 'C:x', 'a/z:b']],
    ['with a control character', ['a\0', '\0', 'a\nb', 'a\tb', 'a\x7f', 'a\x85', '\u2028', '\u2029']],
    ['with an escape character', ['\x1b[2J', 'a\x1b]0;x\x07', '\x9b2J']],
    [
      'with a character that turns text around',
      Array.from(
        '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069',
        (c) => `a${c}gpj.exe`,
      ),
    ],
    [
      'with a device of Windows',
      [
        'con',
        'CON',
        'Prn.txt',
        'a/aux',
        'nul.tar.gz',
        'NUL .txt',
        'COM1',
        'com0',
        'lpt9.x',
        'COM¹',
        'lpt³.txt',
        'CONIN$',
        'conout$',
        'con:x',
        'aux/a',
      ],
    ],
    ['that is not in NFC', ['cafe\u0301', '\u212b']],
    ['that is not well-formed', ['\ud800', 'a\udfff', '\udc00\ud800']],
    ['that is empty', ['']],
    ['that is not a text', [undefined, null, 1, ['a'], {}, new String('a'), Symbol('a')]],
  ])('%s', (_, paths) => {
    for (const path of paths) expectError('INVALID', () => parseRelativePath(path));
  });

  test('without repeating it, for it may turn the terminal around', () => {
    const message = expectError('INVALID', () => parseRelativePath('x\u202egpj.exe'));
    expect(message).toBe('the path has a character that changes the direction of text');
  });
});

describe('the limits of a path', () => {
  test.each([
    ['ASCII', 'a', 1],
    ['two-byte characters', 'é', 2],
    ['three-byte characters', '日', 3],
    ['four-byte characters', '🎉', 4],
  ])('are counted in bytes of UTF-8: %s', (_, character, sizeBytes) => {
    const fitting = character.repeat(Math.floor(MAX_PATH_SIZE_BYTES / sizeBytes));
    expect(parseRelativePath(fitting)).toBe(fitting);
    expectError('TOO_LARGE', () => parseRelativePath(fitting + character));
  });

  test('are 32 names', () => {
    const deep = Array.from({ length: MAX_PATH_DEPTH }, () => 'd').join('/');
    expect(parseRelativePath(deep)).toBe(deep);
    expectError('TOO_LARGE', () => parseRelativePath(`${deep}/d`));
  });

  test('hold before anything else is looked at', () => {
    expectError('TOO_LARGE', () => parseRelativePath('../'.repeat(10_000_000)));
  });
});

// Texts that are likely to be paths, and likely to be bad ones.
const pathText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('..', '.', '', 'con', 'C:', ' ', '\\', '\u202e', '\0', 'a', 'b'),
    ),
    { maxLength: 6 },
  )
  .map((names) => names.join('/'));

test('whatever is read stays below its folder, on POSIX and on Windows', () => {
  let read = 0;
  fc.assert(
    fc.property(pathText, (text) => {
      let path;
      try {
        path = parseRelativePath(text);
      } catch {
        return;
      }
      read++;
      expect(posix.relative('/vault', posix.join('/vault', path))).toBe(path);
      const onWindows = win32.resolve('D:\\vault', path);
      expect(onWindows.startsWith('D:\\vault\\')).toBe(true);
      expect(path).toBe(path.normalize('NFC'));
      expect(new TextEncoder().encode(path).length).toBeLessThanOrEqual(MAX_PATH_SIZE_BYTES);
    }),
    { numRuns: 2000 },
  );
  expect(read).toBeGreaterThan(100);
});

test('any value at all is read or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.string({ unit: 'binary' })), (value) => {
      expectParserToHold(parseRelativePath, value);
    }),
  );
});

describe('paths that collide', () => {
  const collision = (...paths: string[]) => findPathCollision(paths.map(parseRelativePath));

  test.each([
    [['a', 'b', 'a']],
    [['Photos/a.jpg', 'photos/A.JPG']],
    [['straße', 'STRASSE']],
    [['ΣΑΣ', 'σας']],
    [['a', 'a/b']],
    [['a/b', 'a']],
    [['a/b/c', 'A/B']],
    [['É/x', 'é']],
  ])('%j', (paths) => {
    expect(collision(...paths)).toEqual([paths[0], paths.at(-1)]);
  });

  test.each([[[]], [['a']], [['a/b', 'a/c', 'ab', 'a.b']], [['x/a', 'y/a']], [['cafe', 'café']]])(
    '%j do not',
    (paths) => {
      expect(collision(...paths)).toBeUndefined();
    },
  );
});
