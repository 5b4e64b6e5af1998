import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeName, escapeText } from '../src/output/escape.ts';

const hasBash = spawnSync('bash', ['-c', 'true']).status === 0;

test.each([
  ['plain.txt', 'plain.txt'],
  ['with spaces & "quotes".txt', 'with spaces & "quotes".txt'],
  ['-leading dash', '-leading dash'],
  ['back\\slash', 'back\\slash'],
  ['日本語 ümlaut', '日本語 ümlaut'],
  ['👩‍👩‍👧 ❤️ 🎉', '👩‍👩‍👧 ❤️ 🎉'],
  ['نمی‌خواهم', 'نمی‌خواهم'],
  ['two\nlines', String.raw`$'two\nlines'`],
  ['\u001B[31mred\u001B[0m', String.raw`$'\x1b[31mred\x1b[0m'`],
  ['\u009B31m', String.raw`$'\u009b31m'`],
  ['a\u202Egpj.exe', String.raw`$'a\u202egpj.exe'`],
  ["it's a\\b\n", String.raw`$'it\'s a\\b\n'`],
  ["$'looks quoted'", String.raw`$'$\'looks quoted\''`],
  ['half \uD800', String.raw`$'half \ud800'`],
  ['zero\u200Bwidth', String.raw`$'zero\u200bwidth'`],
  ['tag\u{E0041}', String.raw`$'tag\U000e0041'`],
])('%j is shown as %j', (name, shown) => {
  expect(escapeName(name)).toBe(shown);
});

test('a shown name is one line without control or reordering characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(escapeName(name)).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    }),
  );
});

test('no two names are shown alike', () => {
  const unit = fc.constantFrom(
    'a',
    '\n',
    'n',
    '\\',
    "'",
    '$',
    'x',
    '1',
    'b',
    '\u001B',
    'u',
    '2',
    '0',
    'e',
    '\u202E',
  );
  fc.assert(
    fc.property(fc.string({ unit }), fc.string({ unit }), (one, other) => {
      expect(escapeName(one) === escapeName(other)).toBe(one === other);
    }),
    { numRuns: 500 },
  );
});

test.skipIf(!hasBash)('bash reads a shown name back as the name (needs bash)', () => {
  const names = ['two\nlines', '\u001B[31m\u0007', "it's\t'so'\\n", 'a\u202Eb', 'tag\u{E0041}7', '\u007F9'];
  for (const name of names) {
    const printed = execFileSync('bash', ['-c', `printf %s ${escapeName(name)}`], {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(printed.toString('utf8')).toBe(name);
  }
});

test('messages keep their text and lose their control characters', () => {
  expect(escapeText('there is no "a\u001B[2J" here: \\n stays')).toBe(
    String.raw`there is no "a\x1b[2J" here: \n stays`,
  );
});
