import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backends, node } from './backends.ts';
import { bytes, codeOf, utf8 } from './support.ts';

describe('base64url', () => {
  // RFC 4648 §10
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('encodes and decodes %j of RFC 4648 §10', (plain, encoded) => {
    expect(node.bytesToBase64Url(utf8(plain))).toBe(encoded);
    expect(node.base64UrlToBytes(encoded)).toEqual(utf8(plain));
  });

  it('has - and _ where base64 has + and /', () => {
    expect(node.bytesToBase64Url(bytes('fbefbeffffff'))).toBe('----____');
  });

  it.each([
    ['padding left out', 'Zg'],
    ['padding cut', 'Zg='],
    ['too much padding', 'Zg==='],
    ['only padding', '===='],
    ['padding in the middle', 'Zg==Zm9v'],
    ['padding before a character', 'Z=g='],
    ['bits set that are not used, of one byte', 'Zh=='],
    ['bits set that are not used, of two bytes', 'Zm9='],
    ['the other alphabet', '+/+/'],
    ['white space', 'Zm 9v'],
    ['a new line at the end', 'Zm9v\n'],
    ['a letter that is not ASCII', 'Zm9é'],
    ['a letter of four bytes in UTF-8', '🗝'],
    ['a length that cannot be', 'Zm9vY'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(() => node.base64UrlToBytes(text))).toBe('INVALID_ARGUMENT');
  });

  it('comes back, whatever the bytes, and agrees with Buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        const text = node.bytesToBase64Url(data);
        expect(text.replace(/=+$/, '')).toBe(Buffer.from(data).toString('base64url'));
        expect(node.base64UrlToBytes(text)).toEqual(data);
      }),
    );
  });

  it('has one text for each array: what decodes, encodes to the same text', () => {
    const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ ');
    const text = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
    fc.assert(
      fc.property(text, (candidate) => {
        let decoded;
        try {
          decoded = node.base64UrlToBytes(candidate);
        } catch {
          return;
        }
        expect(node.bytesToBase64Url(decoded)).toBe(candidate);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('hex', () => {
  it('comes back, in lower case, from either case', () => {
    expect(node.bytesToHex(Uint8Array.of(0x00, 0x0f, 0xab, 0xff))).toBe('000fabff');
    expect(node.hexToBytes('000fabff')).toEqual(Uint8Array.of(0x00, 0x0f, 0xab, 0xff));
    expect(node.hexToBytes('000FABFF')).toEqual(Uint8Array.of(0x00, 0x0f, 0xab, 0xff));
    expect(node.hexToBytes('')).toEqual(new Uint8Array(0));
  });

  it.each(['0', '0g', ' 00', '0x00', '00\n', '+1', '１１'])('refuses %j', (text) => {
    expect(codeOf(() => node.hexToBytes(text))).toBe('INVALID_ARGUMENT');
  });
});

describe.each(backends)('over %s', (_, crypto) => {
  it('compares arrays by their content and length', () => {
    expect(crypto.constantTimeEqual(bytes('0102'), bytes('0102'))).toBe(true);
    expect(crypto.constantTimeEqual(bytes('0102'), bytes('0103'))).toBe(false);
    expect(crypto.constantTimeEqual(bytes('0102'), bytes('0202'))).toBe(false);
    expect(crypto.constantTimeEqual(bytes('0102'), bytes('010200'))).toBe(false);
    expect(crypto.constantTimeEqual(bytes(''), bytes(''))).toBe(true);
  });

  it('draws random bytes, also more than one call of the platform gives', () => {
    const drawn = crypto.randomBytes(200_000);
    const last = drawn.subarray(-64);
    expect(drawn).toHaveLength(200_000);
    expect(last.some((byte) => byte !== 0)).toBe(true);
    expect(crypto.randomBytes(32)).not.toEqual(crypto.randomBytes(32));
    expect(crypto.randomBytes(0)).toHaveLength(0);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 26 + 1])('refuses to draw %s bytes', (length) => {
    expect(codeOf(() => crypto.randomBytes(length))).toBe('INVALID_ARGUMENT');
  });
});
