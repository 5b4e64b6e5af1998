import { describe, expect, it } from 'vitest';
import { backends } from './backends.ts';
import { bytes, codeOf, cuts, utf8 } from './support.ts';

// FIPS 180-4; the examples are NIST's, "SHA256.pdf" and "SHA2_Additional.pdf" of
// https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
const VECTORS = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
] as const;

describe.each(backends)('SHA-256 over %s', (_, crypto) => {
  it.each(VECTORS)('hashes NIST example %#', (message, digest) => {
    expect(crypto.sha256(utf8(message))).toEqual(bytes(digest));
  });

  it('gives the same digest whole, in two pieces cut anywhere, and byte by byte', () => {
    const data = Uint8Array.from({ length: 130 }, (_, index) => index);
    for (const pieces of cuts(data)) {
      const hash = crypto.createSha256();
      for (const piece of pieces) hash.update(piece);
      expect(hash.digest()).toEqual(crypto.sha256(data));
    }
  });

  it('is at its end after the digest', () => {
    const hash = crypto.createSha256().update(utf8('abc'));
    hash.digest();
    expect(codeOf(() => hash.update(utf8('d')))).toBe('DISPOSED');
    expect(codeOf(() => hash.digest())).toBe('DISPOSED');
  });

  it('returns a plain Uint8Array', () => {
    expect(Object.getPrototypeOf(crypto.sha256(utf8('abc')))).toBe(Uint8Array.prototype);
  });
});
