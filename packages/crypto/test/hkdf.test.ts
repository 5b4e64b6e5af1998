import { describe, expect, it } from 'vitest';
import { backends } from './backends.ts';
import { bytes, codeOf } from './support.ts';

const count = (from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index);

// RFC 5869, appendix A
const VECTORS = [
  {
    name: 'A.1',
    ikm: bytes('0b'.repeat(22)),
    salt: count(0x00, 0x0c),
    info: count(0xf0, 0xf9),
    prk: '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    name: 'A.2, longer inputs and output',
    ikm: count(0x00, 0x4f),
    salt: count(0x60, 0xaf),
    info: count(0xb0, 0xff),
    prk: '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
    okm:
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09' +
      'da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    name: 'A.3, no salt and no info',
    ikm: bytes('0b'.repeat(22)),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    prk: '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
] as const;

describe.each(backends)('HKDF-SHA-256 over %s', (_, crypto) => {
  it.each(VECTORS)('computes RFC 5869 $name', ({ ikm, salt, info, prk, okm }) => {
    expect(crypto.hkdfExtract(salt, ikm)).toEqual(bytes(prk));
    expect(crypto.hkdfExpand(bytes(prk), info, okm.length / 2)).toEqual(bytes(okm));
    expect(crypto.hkdfSha256(ikm, salt, info, okm.length / 2)).toEqual(bytes(okm));
  });

  it('expands to every length as a beginning of the longest', () => {
    const key = count(1, 32);
    const longest = crypto.hkdfExpand(key, key, 8160);
    for (const length of [1, 31, 32, 33, 64, 65, 8159]) {
      expect(crypto.hkdfExpand(key, key, length)).toEqual(longest.subarray(0, length));
    }
  });

  it('refuses lengths that RFC 5869 has not, and keys shorter than the hash', () => {
    const key = new Uint8Array(32);
    const none = new Uint8Array(0);
    for (const length of [0, -1, 1.5, 8161, Number.NaN]) {
      expect(codeOf(() => crypto.hkdfExpand(key, none, length))).toBe('INVALID_ARGUMENT');
    }
    expect(codeOf(() => crypto.hkdfExpand(key.subarray(1), none, 32))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => crypto.hkdfExpand(key, new Uint8Array(1025), 32))).toBe('INVALID_ARGUMENT');
  });
});
