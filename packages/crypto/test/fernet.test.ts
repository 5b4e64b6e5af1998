import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backends } from './backends.ts';
import { bytes, codeOf, flips, readVectors, utf8 } from './support.ts';

interface SpecificationVector {
  readonly desc: string;
  readonly token: string;
  readonly now: string;
  readonly iv: number[];
  readonly ttl_sec: number;
  readonly src: string;
  readonly secret: string;
}
interface PythonVector {
  readonly name: string;
  readonly key: string;
  readonly time: number;
  readonly iv: string;
  readonly message: string;
  readonly token: string;
}
const generate = readVectors('fernet/generate.json') as SpecificationVector[];
const verify = readVectors('fernet/verify.json') as SpecificationVector[];
const invalid = readVectors('fernet/invalid.json') as SpecificationVector[];
const python = (readVectors('fernet/python-cryptography.json') as { vectors: PythonVector[] }).vectors;

const seconds = (now: string): number => Date.parse(now) / 1000;

describe.each(backends)('Fernet over %s', (_, crypto) => {
  const key = crypto.FernetKey.parse('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=');

  it.each(generate)('generates the token of the specification', ({ token, now, iv, src, secret }) => {
    const options = { iv: Uint8Array.from(iv), epochSeconds: seconds(now) };
    const sealed = crypto.sealFernet(crypto.FernetKey.parse(secret), utf8(src), options);
    expect(crypto.bytesToBase64Url(sealed)).toBe(token);
  });

  it.each(verify)('verifies the token of the specification', ({ token, now, ttl_sec, src, secret }) => {
    const options = { ttlSeconds: ttl_sec, nowSeconds: seconds(now) };
    expect(crypto.decryptFernet(crypto.FernetKey.parse(secret), token, options)).toEqual(utf8(src));
  });

  it.each(invalid)(
    'refuses the invalid token of the specification: $desc',
    ({ token, now, ttl_sec, secret }) => {
      const options = { ttlSeconds: ttl_sec, nowSeconds: seconds(now) };
      const open = (): Uint8Array => crypto.decryptFernet(crypto.FernetKey.parse(secret), token, options);
      expect(codeOf(open)).toBe('INVALID_TOKEN');
    },
  );

  it.each(python)("opens the token of Python's cryptography, and makes it: $name", (vector) => {
    const pythonKey = crypto.FernetKey.parse(vector.key);
    const options = { iv: bytes(vector.iv), epochSeconds: vector.time };
    expect(crypto.decryptFernet(pythonKey, vector.token)).toEqual(bytes(vector.message));
    expect(crypto.bytesToBase64Url(crypto.sealFernet(pythonKey, bytes(vector.message), options))).toBe(
      vector.token,
    );
  });

  it('comes back, whatever the message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (message) => {
        expect(crypto.decryptFernet(key, crypto.encryptFernet(key, message))).toEqual(message);
      }),
    );
  });

  it('says when it was made', () => {
    const token = crypto.base64UrlToBytes(crypto.encryptFernet(key, utf8('text')));
    const time = Number(new DataView(token.buffer).getBigUint64(1));
    expect(Math.abs(Date.now() / 1000 - time)).toBeLessThan(60);
  });

  describe('the time of a token made at 1,000', () => {
    const token = crypto.sealFernet(key, utf8('text'), { epochSeconds: 1000 });
    const opensAt = (nowSeconds: number, ttlSeconds?: number): boolean => {
      try {
        crypto.openFernet(key, token, ttlSeconds === undefined ? { nowSeconds } : { nowSeconds, ttlSeconds });
        return true;
      } catch {
        return false;
      }
    };

    it.each([
      [1000, 0, true],
      [1001, 0, false],
      [1030, 30, true],
      [1031, 30, false],
      [940, 30, true],
      [939, 30, false],
    ])('at %s with a TTL of %s s: opens is %s', (now, ttl, opens) => {
      expect(opensAt(now, ttl)).toBe(opens);
    });

    it('does not matter without a TTL', () => {
      expect(opensAt(0)).toBe(true);
      expect(opensAt(2 ** 40)).toBe(true);
    });

    it('holds for the greatest time there is', () => {
      const last = crypto.sealFernet(key, utf8('text'), { epochSeconds: Number.MAX_SAFE_INTEGER });
      expect(codeOf(() => crypto.openFernet(key, last, { ttlSeconds: 60 }))).toBe('INVALID_TOKEN');
      expect(crypto.openFernet(key, last)).toEqual(utf8('text'));
    });
  });

  it('says the same, whatever is wrong', () => {
    const token = crypto.sealFernet(key, utf8('secret text'), { epochSeconds: 1000 });
    const wrong = [...flips(token)];
    for (let length = 0; length < token.length; length++) wrong.push(token.subarray(0, length));
    const said = new Set(
      wrong.map((candidate) => {
        try {
          crypto.openFernet(key, candidate, { ttlSeconds: 10, nowSeconds: 1000 });
          return 'opened';
        } catch (error) {
          const { code, message, cause } = error as InstanceType<typeof crypto.CryptoError>;
          return JSON.stringify({ code, message, cause });
        }
      }),
    );
    expect(said.size).toBe(1);
    expect([...said][0]).toContain('INVALID_TOKEN');
  });

  it('refuses every text that is not exactly the token', () => {
    const token = crypto.encryptFernet(key, utf8('text'));
    const texts = [
      '',
      ' ',
      token.slice(1),
      token.slice(0, -1),
      `${token}=`,
      `${token}\n`,
      ` ${token}`,
      `${token}${token}`,
    ];
    for (const text of texts) expect(codeOf(() => crypto.decryptFernet(key, text))).toBe('INVALID_TOKEN');
  });

  it('refuses options and messages out of their bounds by name', () => {
    const token = crypto.sealFernet(key, utf8('text'));
    const uses = [
      () => crypto.openFernet(key, token, { ttlSeconds: -1 }),
      () => crypto.openFernet(key, token, { ttlSeconds: 1.5 }),
      () => crypto.openFernet(key, token, { nowSeconds: Number.NaN }),
      () => crypto.sealFernet(key, utf8('text'), { epochSeconds: -1 }),
      () => crypto.sealFernet(key, utf8('text'), { iv: new Uint8Array(15) }),
      () => crypto.sealFernet(key, new Uint8Array(2 ** 28 + 1)),
    ];
    for (const use of uses) expect(codeOf(use)).toBe('INVALID_ARGUMENT');
  });
});

describe.each(backends)('MultiFernet over %s', (_, crypto) => {
  const [old, current, stranger] = [
    crypto.FernetKey.generate(),
    crypto.FernetKey.generate(),
    crypto.FernetKey.generate(),
  ];
  const both = new crypto.MultiFernet([current, old]);

  it('encrypts with the first key', () => {
    expect(crypto.decryptFernet(current, both.encrypt(utf8('text')))).toEqual(utf8('text'));
  });

  it('decrypts with every key, and with no other', () => {
    expect(both.decrypt(crypto.encryptFernet(old, utf8('text')))).toEqual(utf8('text'));
    expect(both.decrypt(crypto.encryptFernet(current, utf8('text')))).toEqual(utf8('text'));
    expect(codeOf(() => both.decrypt(crypto.encryptFernet(stranger, utf8('text'))))).toBe('INVALID_TOKEN');
    expect(codeOf(() => both.decrypt('not a token'))).toBe('INVALID_TOKEN');
  });

  it('rotates to the first key and keeps the time', () => {
    const token = crypto.sealFernet(old, utf8('text'), { epochSeconds: 1_000_000 });
    const rotated = both.rotate(crypto.bytesToBase64Url(token));
    expect(crypto.decryptFernet(current, rotated)).toEqual(utf8('text'));
    expect(crypto.base64UrlToBytes(rotated).subarray(1, 9)).toEqual(token.subarray(1, 9));
    expect(codeOf(() => both.rotate(crypto.encryptFernet(stranger, utf8('text'))))).toBe('INVALID_TOKEN');
  });

  it('holds a TTL with every key', () => {
    const token = crypto.bytesToBase64Url(crypto.sealFernet(old, utf8('text'), { epochSeconds: 1000 }));
    expect(both.decrypt(token, { ttlSeconds: 10, nowSeconds: 1010 })).toEqual(utf8('text'));
    expect(codeOf(() => both.decrypt(token, { ttlSeconds: 10, nowSeconds: 1011 }))).toBe('INVALID_TOKEN');
  });

  it('takes 1 to 64 keys', () => {
    expect(codeOf(() => new crypto.MultiFernet([]))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new crypto.MultiFernet(Array.from({ length: 65 }, () => old)))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
