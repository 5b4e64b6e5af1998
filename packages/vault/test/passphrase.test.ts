import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VaultError } from '../src/errors.ts';
import { normalizePassphrase, passphraseWarning } from '../src/passphrase.ts';
import { passphraseVectors } from './vault-file/vectors.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

describe('normalizePassphrase', () => {
  test.each(passphraseVectors)('vector: $name', ({ inputHex, normalHex }) => {
    const input = fromHex(inputHex);
    if (normalHex === undefined) {
      expect(() => normalizePassphrase(input)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    } else {
      expect(Buffer.from(normalizePassphrase(input)).toString('hex')).toBe(normalHex);
    }
  });

  test('returns a copy and leaves its input as it is', () => {
    for (const input of [utf8('correct horse\n'), Buffer.from('correct horse\n')]) {
      const normal = normalizePassphrase(input);
      normal.fill(0);
      expect(Buffer.from(input).toString()).toBe('correct horse\n');
    }
  });

  test('composed and decomposed text are the same passphrase', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (text) => {
        // What ends in a newline, or starts with a byte order mark, means something else.
        fc.pre(!/[\r\n]$|^\ufeff/.test(text));
        const composed = normalizePassphrase(utf8(text.normalize('NFC')));
        expect(normalizePassphrase(utf8(text.normalize('NFD')))).toEqual(composed);
      }),
      { numRuns: 300 },
    );
  });

  test('any bytes are a passphrase or refused, and a refusal quotes none of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          expect(normalizePassphrase(bytes).length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof VaultError)) throw error;
          expect(error.code).toBe('INVALID_INPUT');
          expect(error.message).toMatch(/^the passphrase is (empty|not valid UTF-8)$/);
          expect(error.cause).toBeUndefined();
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('passphraseWarning', () => {
  test.each([
    ['11 letters', 'abcdefghijk', true],
    ['11 letters and a newline', 'abcdefghijk\n', true],
    ['12 letters', 'abcdefghijkl', false],
    ['11 letters with accents, decomposed', 'e\u0301'.repeat(11), true],
    ['12 letters with accents, decomposed', 'e\u0301'.repeat(12), false],
    ['2 family emoji of 7 code points each', '👨‍👩‍👧‍👦'.repeat(2), true],
    ['12 Chinese characters', '密码很长很长很长很长很长', false],
    ['11 Chinese characters', '密码很长很长很长很长很', true],
  ])('of %s', (_name, text, isWarned) => {
    expect(passphraseWarning(utf8(text)) !== undefined).toBe(isWarned);
  });

  test('refuses what is no passphrase', () => {
    expect(() => passphraseWarning(utf8('\n'))).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});
