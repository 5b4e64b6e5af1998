import { describe, expect, it } from 'vitest';
import { backend as nodeBackend } from '../src/backend/node.ts';
import { backend as nobleBackend } from '../src/backend/noble.ts';
import { backends } from './backends.ts';
import { bytes, codeOf, flips, utf8 } from './support.ts';

// NIST SP 800-38A, appendix F.2.1 (encrypt) and F.2.2 (decrypt)
const KEY = bytes('2b7e151628aed2a6abf7158809cf4f3c');
const IV = bytes('000102030405060708090a0b0c0d0e0f');
const PLAINTEXT = bytes(
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
    '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
);
const CIPHERTEXT = bytes(
  '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2' +
    '73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7',
);

describe.each([nodeBackend, nobleBackend])('AES-128-CBC of the backend $name', (backend) => {
  const encrypted = new Uint8Array(80);
  backend.encryptAes128Cbc(KEY, IV, PLAINTEXT, encrypted);

  it('encrypts SP 800-38A F.2.1, followed by a block of padding', () => {
    expect(encrypted.subarray(0, 64)).toEqual(CIPHERTEXT);
  });

  it('decrypts SP 800-38A F.2.2, and takes the padding off', () => {
    expect(backend.decryptAes128Cbc(KEY, IV, encrypted)).toEqual(PLAINTEXT);
  });

  it('finds that SP 800-38A has no padding', () => {
    expect(backend.decryptAes128Cbc(KEY, IV, CIPHERTEXT)).toBeUndefined();
  });
});

describe.each(backends)('AES-128-CBC and HMAC-SHA-256 over %s', (_, crypto) => {
  const keys = { signingKey: bytes('00112233445566778899aabbccddeeff'), encryptionKey: KEY };

  it('is IV, ciphertext, and the MAC of both', () => {
    const sealed = crypto.encryptAes128CbcHmac(keys, PLAINTEXT, { iv: IV });
    expect(sealed).toHaveLength(16 + 80 + 32);
    expect(sealed.subarray(0, 16)).toEqual(IV);
    expect(sealed.subarray(16, 80)).toEqual(CIPHERTEXT);
    expect(sealed.subarray(96)).toEqual(crypto.hmacSha256(keys.signingKey, sealed.subarray(0, 96)));
    expect(crypto.decryptAes128CbcHmac(keys, sealed)).toEqual(PLAINTEXT);
  });

  it('takes a new IV every time', () => {
    const [one, two] = [
      crypto.encryptAes128CbcHmac(keys, PLAINTEXT),
      crypto.encryptAes128CbcHmac(keys, PLAINTEXT),
    ];
    expect(one.subarray(0, 16)).not.toEqual(two.subarray(0, 16));
  });

  it('refuses every flipped bit, every cut and every addition, in one way', () => {
    const sealed = crypto.encryptAes128CbcHmac(keys, utf8('twenty bytes of text'));
    for (const changed of flips(sealed)) {
      expect(codeOf(() => crypto.decryptAes128CbcHmac(keys, changed))).toBe('INVALID_TOKEN');
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => crypto.decryptAes128CbcHmac(keys, sealed.subarray(0, length)))).toBe(
        'INVALID_TOKEN',
      );
    }
    const longer = new Uint8Array(sealed.length + 16);
    longer.set(sealed);
    expect(codeOf(() => crypto.decryptAes128CbcHmac(keys, longer))).toBe('INVALID_TOKEN');
  });

  it('refuses the halves of another key, each alone', () => {
    const sealed = crypto.encryptAes128CbcHmac(keys, utf8('text'));
    const wrongMac = { ...keys, signingKey: new Uint8Array(16) };
    expect(codeOf(() => crypto.decryptAes128CbcHmac(wrongMac, sealed))).toBe('INVALID_TOKEN');
  });

  it('takes halves and IVs of 16 bytes only, and at most 2^28 bytes of message', () => {
    const short = { ...keys, signingKey: new Uint8Array(15) };
    const long = { ...keys, encryptionKey: new Uint8Array(32) };
    expect(codeOf(() => crypto.encryptAes128CbcHmac(short, PLAINTEXT))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => crypto.decryptAes128CbcHmac(long, new Uint8Array(64)))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => crypto.encryptAes128CbcHmac(keys, PLAINTEXT, { iv: KEY.subarray(1) }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(codeOf(() => crypto.encryptAes128CbcHmac(keys, new Uint8Array(2 ** 28 + 1)))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
