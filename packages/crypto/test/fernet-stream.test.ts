import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Base64UrlDecoder } from '../src/base64url-decoder.ts';
import { base64UrlToBytes, bytesToBase64Url } from '../src/index.ts';
import { backends } from './backends.ts';
import type { Crypto } from './backends.ts';
import { bytes, codeOf, cuts, flips, readVectors, utf8 } from './support.ts';

interface SpecificationVector {
  readonly desc: string;
  readonly token: string;
  readonly secret: string;
}
interface PythonVector {
  readonly name: string;
  readonly key: string;
  readonly message: string;
  readonly token: string;
}
const invalid = (readVectors('fernet/invalid.json') as SpecificationVector[]).filter(
  // The two that are refused for their time alone, which is not looked at here.
  ({ desc }) => !/TTL|future/.test(desc),
);
const python = (readVectors('fernet/python-cryptography.json') as { vectors: PythonVector[] }).vectors;

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

async function join(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const piece of pieces) for (const byte of piece) all.push(byte);
  return Uint8Array.from(all);
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { code?: unknown } | undefined)?.code;
}

/** Of the token in pieces of `size` characters, or whole. */
function open(crypto: Crypto, key: string, token: string | Uint8Array, size = 1 << 20): Promise<Uint8Array> {
  const characters = typeof token === 'string' ? utf8(token) : token;
  const pieces = Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.subarray(index * size, (index + 1) * size),
  );
  return join(crypto.decryptFernetStream(crypto.FernetKey.parse(key), () => each(pieces)));
}

describe.each(backends)('a Fernet token as a stream over %s', (_, crypto) => {
  const key = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';

  it.each(python)("opens that of Python's cryptography, whole and in any pieces: $name", async (vector) => {
    const message = bytes(vector.message);
    for (const size of [1, 2, 3, 7, 16, 64, 1 << 20]) {
      expect(await open(crypto, vector.key, vector.token, size)).toEqual(message);
    }
  });

  it.each(invalid)('refuses the invalid token of the specification: $desc', async ({ token, secret }) => {
    expect(await rejection(open(crypto, secret, token))).toBe('INVALID_TOKEN');
  });

  it('opens what is longer than a chunk, at every length around its end', async () => {
    const fernetKey = crypto.FernetKey.parse(key);
    for (const length of [262_127, 262_128, 262_143, 262_144, 262_145, 524_288, 600_000]) {
      const message = Uint8Array.from({ length }, (_unused, index) => index % 251);
      const opened = await open(crypto, key, crypto.encryptFernet(fernetKey, message), 65_536);
      expect(Buffer.compare(opened, message)).toBe(0);
    }
  });

  it('refuses every changed bit, every shorter token and what follows one', async () => {
    const token = crypto.encryptFernet(crypto.FernetKey.parse(key), utf8('seventeen bytes!!'));
    for (const changed of flips(base64UrlToBytes(token))) {
      expect(await rejection(open(crypto, key, bytesToBase64Url(changed)))).toBe('INVALID_TOKEN');
    }
    for (let length = 0; length < token.length; length++) {
      expect(await rejection(open(crypto, key, token.slice(0, length)))).toBe('INVALID_TOKEN');
    }
    for (const more of [`${token}\n`, `${token}AAAA`, `${token}=`, token + token, ` ${token}`]) {
      expect(await rejection(open(crypto, key, more, 5))).toBe('INVALID_TOKEN');
    }
    expect(await rejection(open(crypto, 'A'.repeat(43) + '=', token))).toBe('INVALID_TOKEN');
  });

  it('yields nothing of a token that another one has taken the place of since it was authenticated', async () => {
    const fernetKey = crypto.FernetKey.parse(key);
    const message = new Uint8Array(600_000).fill(1);
    const token = base64UrlToBytes(crypto.encryptFernet(fernetKey, message));
    for (const [at, intact] of [
      [20, 0],
      [100_000, 0],
      [400_000, 1],
      [token.length - 40, 2],
    ] as const) {
      const changed = token.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const readings = [token, changed].map((reading) => utf8(bytesToBase64Url(reading)));
      const pieces: Uint8Array[] = [];
      const reading = (async () => {
        const stream = crypto.decryptFernetStream(fernetKey, () =>
          each([readings.shift() ?? new Uint8Array()]),
        );
        for await (const piece of stream) pieces.push(piece);
      })();
      expect(await rejection(reading)).toBe('INVALID_TOKEN');
      expect(pieces).toHaveLength(intact);
      expect(pieces.every((piece) => piece.every((byte) => byte === 1))).toBe(true);
    }
  });

  it('notices a token that was cut off since it was authenticated', async () => {
    const fernetKey = crypto.FernetKey.parse(key);
    const token = base64UrlToBytes(crypto.encryptFernet(fernetKey, new Uint8Array(600_000)));
    // Head, one chunk, and what stands where the MAC was.
    const readings = [token, token.subarray(0, 25 + 262_144 + 32)].map((reading) =>
      utf8(bytesToBase64Url(reading)),
    );
    const stream = crypto.decryptFernetStream(fernetKey, () => each([readings.shift() ?? new Uint8Array()]));
    expect(await rejection(join(stream))).toBe('INVALID_TOKEN');
  });

  it('stops when its key is disposed of in between', async () => {
    const fernetKey = crypto.FernetKey.parse(key);
    const token = utf8(crypto.encryptFernet(fernetKey, new Uint8Array(600_000)));
    const stream = crypto.decryptFernetStream(fernetKey, () => each([token]));
    await stream.next();
    fernetKey[Symbol.dispose]();
    expect(await rejection(stream.next())).toBe('DISPOSED');
  });

  it('passes on what reading throws', async () => {
    const stream = crypto.decryptFernetStream(crypto.FernetKey.parse(key), () => {
      throw new RangeError('the disk');
    });
    await expect(stream.next()).rejects.toThrow('the disk');
  });
});

describe('base64url in pieces', () => {
  function decode(pieces: readonly Uint8Array[]): Uint8Array {
    const decoder = new Base64UrlDecoder();
    return Buffer.concat([...pieces.map((piece) => decoder.update(piece)), decoder.finish()]);
  }

  it('is what it is whole, cut anywhere', () => {
    for (const length of [0, 1, 2, 3, 4, 5, 11]) {
      const data = Uint8Array.from({ length }, (_, index) => 250 - index);
      for (const pieces of cuts(utf8(bytesToBase64Url(data)))) {
        expect(Uint8Array.from(decode(pieces))).toEqual(data);
      }
    }
  });

  it('accepts what it accepts whole, and nothing else', () => {
    const character = fc.constantFrom('A', 'Q', 'g', 'w', '-', '_', '=', '+', '/', ' ', '\n');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 14 }), fc.nat({ max: 14 }), (text, at) => {
        const whole = (() => {
          try {
            return [...base64UrlToBytes(text)];
          } catch {
            return 'refused';
          }
        })();
        const pieces = [utf8(text.slice(0, at)), utf8(text.slice(at))];
        if (whole === 'refused') expect(codeOf(() => decode(pieces))).toBe('INVALID_ARGUMENT');
        else expect([...decode(pieces)]).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});
