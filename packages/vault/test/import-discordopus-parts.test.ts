import type { ForeignCell } from '@coffer/database';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSourceKey, parseSourcePassphrase } from '../src/import/discordopus/source-keys.ts';
import { toVaultName } from '../src/import/discordopus/source-name.ts';
import { parseSourceTime } from '../src/import/discordopus/source-time.ts';

function text(value: string): ForeignCell {
  return { type: 'text', sizeBytes: value.length, value };
}

describe('a time of the original application', () => {
  const T = 1_700_000_000_250;
  test.each<[string, ForeignCell, number | undefined]>([
    ['seconds', { type: 'integer', value: 1_700_000_000n }, 1_700_000_000_000],
    ['seconds with a fraction', { type: 'real', value: 1_700_000_000.25 }, T],
    ['milliseconds', { type: 'integer', value: BigInt(T) }, T],
    ['microseconds', { type: 'integer', value: 1_700_000_000_250_999n }, T],
    ['nanoseconds', { type: 'integer', value: 1_700_000_000_250_500_000n }, T],
    ['digits', text('1700000000'), 1_700_000_000_000],
    ['digits with a fraction', text('1700000000.25'), T],
    ['ISO 8601 as Python writes it', text('2023-11-14T22:13:20.250999'), T],
    ['with an offset', text('2023-11-15T00:13:20.250+02:00'), T],
    ['with an offset without a colon', text('2023-11-14 17:13:20.250-0500'), T],
    ['in UTC', text('2023-11-14T22:13:20.250Z'), T],
    ['as SQLite writes it', text('2023-11-14 22:13:20'), 1_700_000_000_000],
    ['a day', text('2023-11-14'), 1_699_920_000_000],
    ['no such day', text('2023-13-14'), undefined],
    ['words', text('yesterday'), undefined],
    ['nothing', { type: 'null' }, undefined],
    ['an empty text', text(''), undefined],
    ['bytes', { type: 'blob', sizeBytes: 1, value: new Uint8Array(1) }, undefined],
    ['damage', { type: 'damaged' }, undefined],
    ['zero', { type: 'integer', value: 0n }, undefined],
    ['the past before 1970', { type: 'integer', value: -5n }, undefined],
    ['the largest number', { type: 'integer', value: 2n ** 63n - 1n }, 9_223_372_036_854],
    ['infinity', { type: 'real', value: Infinity }, undefined],
    ['a number of 1e30', { type: 'real', value: 1e30 }, undefined],
  ])('%s', (_, cell, expected) => {
    expect(parseSourceTime(cell)).toBe(expected);
  });

  test('is a time that a file can have, or none, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (value) => {
        const time = parseSourceTime(text(value)) ?? 0;
        expect(Number.isSafeInteger(time) && time >= 0 && time < 253_402_300_800_000).toBe(true);
      }),
    );
  });
});

describe('a name of the original application', () => {
  test.each([
    ['photo.jpg', 'photo.jpg'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\x\\a.txt', 'a.txt'],
    ['folder/', 'folder'],
    ['e\u0301', '\u00e9'],
    ['a\0b', 'ab'],
    ['\uD800', '\uFFFD'],
    ['..', 'file 1'],
    ['/', 'file 1'],
    ['', 'file 1'],
    [undefined, 'file 1'],
    [`${'é'.repeat(200)}.jpeg`, `${'é'.repeat(125)}.jpeg`],
  ])('%j becomes %j', (filename, expected) => {
    expect(toVaultName(filename, 'file 1')).toBe(expected);
  });

  test('is always one that a vault takes and a disk can have', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (filename) => {
        const name = toVaultName(filename, 'file 1/2');
        expect(name).not.toMatch(/[/\\\0]/);
        expect(['', '.', '..']).not.toContain(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(name.isWellFormed()).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a key of the original application', () => {
  test.each([
    ['', 'empty'],
    ['ab'.repeat(31), 'short'],
    ['ab'.repeat(33), 'long'],
    [`x'${'ab'.repeat(32)}`.repeat(2), 'twice'],
    ['A'.repeat(44), 'base64 without its padding'],
    [`${'A'.repeat(42)}B=`, 'base64 with bits too many'],
    ['g'.repeat(64), 'not hexadecimal'],
  ])('%j is none (%s), and the error does not repeat it', (content) => {
    const parse = (): Uint8Array => parseSourceKey(Buffer.from(content), 'the database key');
    expect(parse).toThrow('the database key is not a key');
  });

  test('is the caller’s own memory', () => {
    const content = Buffer.alloc(32, 7);
    parseSourceKey(content, 'x').fill(0);
    const passphrase = Buffer.from('secret\r\n');
    expect(Buffer.from(parseSourcePassphrase(passphrase)).toString()).toBe('secret');
    parseSourcePassphrase(passphrase).fill(0);
    expect([content[0], passphrase.toString()]).toEqual([7, 'secret\r\n']);
  });
});
